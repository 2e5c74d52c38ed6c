import json

import pytest

from speckle_core.errors import OutputError
from speckle_core.experiment.experiment import Experiment
from speckle_core.experiment.ownership import OwnedFolder
from speckle_core.notes import write_json

KIND = OwnedFolder(
    "walk", "walk.json", 3, lambda folder, data, made: (folder, data["steps"] + 0, made.name), "!"
)


@pytest.fixture
def ours(tiny):
    return Experiment.load(tiny).resolved()


@pytest.fixture
def walked(ours, tmp_path):
    record = {"format": 3, "experiment": ours.to_dict(), "steps": 7}
    write_json(tmp_path / "walk.json", record)
    return tmp_path


def test_a_new_folder_is_nobodys(ours, tmp_path):
    assert KIND.find(ours, tmp_path / "none") is None
    (tmp_path / ".unfinished-x").write_text("left")
    assert KIND.find(ours, tmp_path) is None
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="is a file, not a folder"):
        KIND.find(ours, tmp_path / "file")


def test_that_of_the_same_experiment_is_found(ours, walked):
    assert KIND.find(ours, walked) == KIND.read(walked) == (walked, 7, "tiny")


def test_that_of_another_experiment_is_refused_with_what_differs(tiny, walked):
    other = Experiment.load(tiny, ["grid.size=17", "seed=1"]).resolved()
    with pytest.raises(OutputError, match=r"contains the walk of another .* grid\.size") as caught:
        KIND.find(other, walked)
    assert "seed (1, not 5)" in caught.value.what
    assert caught.value.hint == "Choose another folder with -o!."


@pytest.mark.parametrize(
    "spoil",
    [
        lambda said: said.update(format=2),
        lambda said: said.pop("format"),
        lambda said: said.pop("experiment"),
        lambda said: said.update(steps="many"),
        lambda said: said.pop("steps"),
    ],
)
def test_a_record_that_is_not_of_this_kind_is_refused(ours, walked, spoil):
    path = walked / "walk.json"
    said = json.loads(path.read_text())
    del said["checksum"]
    spoil(said)
    path.write_text(json.dumps(said))
    with pytest.raises(OutputError, match="is not a speckle walk folder"):
        KIND.find(ours, walked)


def test_a_folder_of_other_files_is_refused(ours, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="is not a speckle walk folder"):
        KIND.find(ours, tmp_path)

import json

import attrs
import numpy as np
import pytest

from speckle_core import Component, Experiment, Pipeline, hookimpl, plugin_manager
from speckle_core.analysis.conformal import Conformal
from speckle_core.errors import (
    MissingDependencyError,
    ModelError,
    OptionError,
    OutputError,
    UnknownComponentError,
)
from speckle_core.models.convert import convert
from speckle_core.models.folder import read_record, save_model, write_record
from speckle_core.models.values import Intervals, load_intervals, save_intervals


@attrs.define(kw_only=True)
class Writer:
    """Learns nothing and saves its classes; other classifiers here read them or do not."""

    width: int = 3
    mood: str = "good"
    classes: np.ndarray = attrs.field(init=False, factory=lambda: np.array([2, 3]))

    def fit(self, train, valid, *, seed, on_epoch=None):
        return []

    def predict_proba(self, patterns):
        return np.full((len(patterns), 2), 0.5)

    def save(self, folder):
        (folder / "classes.json").write_text(json.dumps(self.classes.tolist()))

    def load(self, folder):
        self.classes = np.array(json.loads((folder / "classes.json").read_text()))


@attrs.define(kw_only=True)
class Reader(Writer):
    depth: int = 7


@attrs.define(kw_only=True)
class Stranger(Writer):
    def load(self, folder):
        raise ModelError(
            "the file is missing", where=str(folder / "other.json"), hint="Look elsewhere."
        )


@attrs.define(kw_only=True)
class Confused(Writer):
    def load(self, folder):
        self.classes = np.array([4, 5])


@attrs.define(kw_only=True)
class Narrow(Writer):
    mood: bool = True


class Plugin:
    @hookimpl
    def speckle_classifiers(self):
        kinds = (Writer, Reader, Stranger, Confused, Narrow)
        yield from (Component(kind.__name__.lower(), kind, "For a test.") for kind in kinds)
        yield Component("absent", Reader, "For a test.", requires=("no_such_package",), extra="x")


@pytest.fixture(autouse=True)
def registered():
    plugin_manager.cache_clear()
    plugin_manager().register(Plugin(), "fakes")
    yield
    plugin_manager.cache_clear()


@pytest.fixture
def model(tmp_path):
    experiment = Experiment.from_dict(
        {
            "name": "fakes",
            "structure": {"counts": [2, 3], "patterns_per_count": 5},
            "grid": {"size": 9, "step": 0.1},
            "split": {"train": 4, "valid": 2, "test": 2},
            "classifier": {"name": "writer", "width": 5, "mood": "dark"},
            "baselines": ["confused"],
        }
    )
    pipeline = Pipeline(
        grid=experiment.kgrid(),
        classifier=Writer(width=5, mood="dark"),
        baselines={"confused": Confused()},
    )
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "history.csv").write_text("number\n")
    save_model(pipeline, experiment, tmp_path / "model")
    (tmp_path / "model" / "training.json").write_text("{}")
    return tmp_path / "model"


def content(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_other_gets_the_files_and_the_options_that_it_has_too(model, tmp_path):
    before = content(model)
    record = convert(model, "reader", tmp_path / "new" / "place")
    assert record.classifier.name == "reader"
    assert record.classifier.options == {"width": 5, "mood": "dark"}
    assert read_record(tmp_path / "new" / "place") == record
    assert content(model) == before
    files = {str(path) for path in content(tmp_path / "new" / "place")}
    assert files == {
        "classifier/classes.json",
        "baselines/confused/classes.json",
        "history.csv",
        "model.toml",
    }
    assert record.experiment == read_record(model).experiment


def test_there_and_back_gives_the_same_bytes(model, tmp_path):
    convert(model, "reader", tmp_path / "there")
    convert(tmp_path / "there", "writer", tmp_path / "back")
    expected = content(model)
    assert {k: v for k, v in expected.items() if k.name != "training.json"} == content(
        tmp_path / "back"
    )


@pytest.mark.parametrize(
    ("name", "error", "text"),
    [
        ("stranger", ModelError, "'stranger' cannot read the files of 'writer': the file is mis"),
        ("confused", ModelError, "reads the classes [4, 5] from the files of 'writer'"),
        ("narrow", OptionError, "'dark' is not true or false"),
        ("reade", UnknownComponentError, "'reader'"),
        ("absent", MissingDependencyError, "no_such_package"),
    ],
)
def test_who_cannot_read_it_says_so_and_leaves_nothing(model, tmp_path, name, error, text):
    with pytest.raises(error) as caught:
        convert(model, name, tmp_path / "new")
    assert text in str(caught.value)
    assert "unfinished" not in str(caught.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model"]


def test_a_folder_that_holds_something_is_left_alone(model, tmp_path):
    with pytest.raises(OutputError, match="is not empty"):
        convert(model, "reader", model)
    (tmp_path / "empty").mkdir()
    convert(model, "reader", tmp_path / "empty")
    assert (tmp_path / "empty" / "model.toml").exists()


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(ModelError, match="not a model folder"):
        convert(tmp_path, "reader", tmp_path / "new")


def test_a_link_in_a_strangers_folder_is_not_followed(model, tmp_path):
    (tmp_path / "secret").write_text("[2, 3]")
    (model / "classifier" / "extra").symlink_to(tmp_path / "secret")
    with pytest.raises(ModelError, match="neither a file nor a folder"):
        convert(model, "reader", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_full_disk_leaves_nothing(model, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(OutputError, match="No space left"):
        convert(model, "reader", tmp_path / "new")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model"]


def test_the_intervals_of_a_value_go_with_the_classifier(model, tmp_path):
    save_intervals(Intervals(1.0, 2.0, {"writer": Conformal(np.arange(3.0))}), model)
    write_record(read_record(model), model)
    convert(model, "reader", tmp_path / "there")
    assert load_intervals(tmp_path / "there").of("reader").scores.tolist() == [0, 1, 2]

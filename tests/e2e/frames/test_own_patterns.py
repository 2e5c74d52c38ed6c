"""Labelled patterns of one's own become a data set like any other."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from speckle_core import DataError, KGrid, PatternSet
from speckle_core.data.labels import labels_of_files
from speckle_core.experiment.split import Split
from tests.e2e.frames.patterns import counts, say

pytestmark = pytest.mark.xdist_group("frames")


MINE = """
name = "mine"
[[prepare]]
name = "standardize"
[classifier]
name = "radial-lda"
[split]
train = 0.6
valid = 0.2
test = 0.2
"""


@pytest.fixture(scope="session")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Labelled frames, in a folder for each class."""
    home = tmp_path_factory.mktemp("own")
    for n in (2, 4, 7):
        (home / str(n)).mkdir()
        for seed in range(8):
            frame = counts(n, 1e5, seed, size=33).astype(np.uint16)
            np.save(home / str(n) / f"frame_{seed}.npy", frame)
    (home / "mine.toml").write_text(MINE)
    return home


def test_patterns_of_one_s_own_are_imported_trained_on_and_read(own: Path, tmp_path: Path) -> None:
    files = sorted(own.glob("*/*.npy"))
    rows = [(path.relative_to(own), path.parent.name) for path in files]
    with (own / "labels.csv").open("w", newline="") as table:
        writer = csv.writer(table)
        writer.writerows([("file", "n"), *rows[::-1]])
    stack = np.array([np.load(path) for path in files])
    with h5py.File(tmp_path / "own.h5", "w") as file:
        file["patterns"], file["labels"] = stack, [int(path.parent.name) for path in files]
    ways = {
        "a": (*files, "--labels", "folders"),
        "b": (*files, "--labels", own / "labels.csv"),
        "c": (tmp_path / "own.h5", "--labels", "labels"),
    }
    for name, words in ways.items():
        assert say("import", *words, "-o", tmp_path / name).exit_code == 0
        with h5py.File(tmp_path / name / "patterns.h5") as file:
            np.testing.assert_array_equal(file["entry_1/data_1/data"], stack)
            assert file["entry_1/data_1/labels"][:].tolist() == [2] * 8 + [4] * 8 + [7] * 8
    recipe = json.loads((tmp_path / "a/manifest.json").read_text())["experiment"]
    assert "structure" not in recipe
    assert "scattering" not in recipe
    assert recipe["imported"]["files"][0] == files[0].name
    data, trained = tmp_path / "a", tmp_path / "model"
    for words in (
        ("verify", data),
        ("train", own / "mine.toml", "--data", data, "-o", trained),
        ("evaluate", trained, "--data", data, "--json"),
        ("audit", data),
        ("show", data, "-o", tmp_path / "a.png"),
        ("predict", trained, files[0]),
    ):
        result = say(*words)
        assert result.exit_code == 0, (words, result.output)


def test_an_import_goes_on_by_the_same_command_and_damage_is_mended_by_another(
    own: Path, tmp_path: Path
) -> None:
    words = ("import", *sorted(own.glob("*/*.npy")), "--labels", "folders", "-o", tmp_path / "a")
    assert say(*words).exit_code == 0
    before = {path.name: path.read_bytes() for path in tmp_path.rglob("*.h5")}
    (tmp_path / "a/patterns.h5").unlink()
    assert "with --repair" in say("verify", tmp_path / "a").output
    assert say("verify", tmp_path / "a", "--repair").exit_code == 0
    assert say(*words).exit_code == 0
    assert {path.name: path.read_bytes() for path in tmp_path.rglob("*.h5")} == before
    (tmp_path / "a/shards/00000.h5").unlink()
    for repair in ((), ("--repair",)):
        found = say("verify", tmp_path / "a", *repair)
        assert found.exit_code == 1
        assert "import its frames again" in found.output
        assert "with --repair" not in found.output
    assert "Run 'speckle verify'" in say("audit", tmp_path / "a").output


@pytest.mark.parametrize("labels", ["none.csv", "none.npy"])
def test_labels_that_are_not_there_are_told_plainly(own: Path, tmp_path: Path, labels: str) -> None:
    words = ("import", own / "2/frame_0.npy", "--labels", tmp_path / labels, "-o", tmp_path / "d")
    told = say(*words)
    assert told.exit_code == 1
    assert f"{labels}: file not found" in told.output
    assert "Errno" not in told.output


def test_too_few_frames_for_a_test_part_are_told_what_works(own: Path, tmp_path: Path) -> None:
    few = [own / f"{n}/frame_{i}.npy" for n in (2, 4) for i in (0, 1)]
    assert say("import", *few, "--labels", "folders", "-o", tmp_path / "few").exit_code == 0
    told = say("audit", tmp_path / "few")
    assert told.exit_code == 1
    assert "Import more frames" in told.output
    many = sorted(own.glob("[24]/*.npy"))
    assert say("import", *many, "--labels", "folders", "-o", tmp_path / "many").exit_code == 0
    assert say("audit", tmp_path / "many", "--baseline", "first-moment").exit_code == 0


def test_a_split_for_simulated_patterns_is_scaled_to_measured_ones(
    own: Path, tmp_path: Path
) -> None:
    files = sorted(own.glob("*/*.npy"))
    assert say("import", *files, "--labels", "folders", "-o", tmp_path / "d").exit_code == 0
    many = MINE.replace("0.6", "1000").replace("0.2", "200") + "test_per_class = 20\n"
    (tmp_path / "many.toml").write_text(many + "[structure]\ncounts = [2, 11]\n")
    words = ("train", tmp_path / "many.toml", "--data", tmp_path / "d", "-o", tmp_path / "m")
    told = say(*words)
    assert told.exit_code == 0, told.output
    assert "scaled to the 24 measured patterns: train 18, valid 3, test 3" in told.output
    read = say("evaluate", tmp_path / "m", "--data", tmp_path / "d", "--json")
    assert json.loads(read.stdout)["evaluations"]["radial-lda"]["patterns"] == 3
    assert say(*words).exit_code == 0  # finished, and the same


@pytest.mark.parametrize(
    "table",
    [
        "\ufeffn\r\n2\r\n4\r\n7\r\n",
        "index;label\n2;7\n0;2\n1;4\n",
        '"file"\t"index"\t"n"\n"a.npy"\t"0"\t"2"\na.npy\t1\t4\na.npy\t2\t7\n',
    ],
)
def test_tables_of_other_programs_are_read(table: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(table.encode())
    assert labels_of_files(tmp_path / "a.csv", [tmp_path / "a.npy"], [3]) == [2, 4, 7]
    with pytest.raises(DataError, match=r"3 labels for 4 patterns|no label for pattern 3"):
        labels_of_files(tmp_path / "a.csv", [tmp_path / "a.npy"], [4])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([2, 4, 5.7], "row 2: 5.7 is not a label"),
        ([2, 4, np.nan], "row 2: nan is not a label"),
        (["two", "four", "six"], "row 0: 'two' is not a label"),
        (np.eye(3, dtype=int), "one column per class (3)"),
        ([2, 4], "has 2 labels for 3 patterns"),
        ([2, 4, 0], "row 2: 0 is not a label"),
    ],
)
def test_labels_that_are_none_are_refused_with_their_row(
    labels: Any, message: str, tmp_path: Path
) -> None:
    np.savez(tmp_path / "a.npz", patterns=np.ones((3, 9, 9)), labels=np.array(labels))
    words = ("import", tmp_path / "a.npz", "--dataset", "patterns", "--labels", "labels")
    said = say(*words, "-o", tmp_path / "d")
    assert said.exit_code == 1
    assert message in said.stderr
    assert not (tmp_path / "d").exists()


def test_a_stratified_split_has_every_class_in_every_part_and_any_other_warns() -> None:
    labels = np.repeat([2, 4, 7], [40, 40, 3])
    for seed in range(6):
        parts = Split(stratify=True).indices(labels, seed)
        assert all(set(labels[part]) == {2, 4, 7} for part in parts.values())
        together = np.concatenate(list(parts.values()))
        assert len(set(together.tolist())) == len(together) == 83
    with pytest.warns(UserWarning, match="the test part has no pattern of class 7"):
        Split().indices(labels, 1)


def test_an_open_hdf5_dataset_is_a_pattern_set(tmp_path: Path) -> None:
    values = np.random.default_rng(0).random((6, 5, 5)).astype(np.float32)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = values
    with h5py.File(tmp_path / "a.h5") as file:
        patterns = PatternSet.from_arrays(file["x"], [1, 2] * 3, KGrid.centered(5, 1.0))
        got, labels = patterns.batch([4, 0, 4, 3])
    np.testing.assert_array_equal(got, values[[4, 0, 4, 3]])
    assert labels.tolist() == [1, 1, 1, 2]

"""What lies in a folder of solutions, and that it can be gone on with."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from speckle_core import Dataset, OptionError, OutputError, PatternError
from speckle_core.data.frame_options import FrameOptions
from speckle_core.solve import solving
from speckle_core.solve.folder import solve
from speckle_core.solve.solving import Recipe
from speckle_core.solve.source import DatasetSource, FileSource


@pytest.fixture(scope="module")
def whole(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both patterns of the set, solved in this process."""
    folder = tmp_path_factory.mktemp("whole") / "solved"
    source = DatasetSource.of(dataset)
    answers = solve(source, range(2), Recipe(), folder, workers=1)
    assert [answer.index for answer in answers] == [0, 1]
    return folder


def test_the_summary_says_what_was_found_and_that_it_is_right(whole: Path) -> None:
    found = json.loads((whole / "solution.json").read_text())
    for record in found["patterns"]:
        assert record["solved"]
        assert record["n"] == record["label"] == record["truth"]["n"] == record["truth"]["exact"]
        assert len(record["bodies"]) == record["n"]
    assert found["solver"] == {"name": "patterson", "options": {"box": 500.0}, "seed": 0}


def test_bodies_stand_in_one_table_with_their_errors(whole: Path, dataset: Dataset) -> None:
    rows = list(csv.DictReader(io.StringIO((whole / "bodies.csv").read_text())))
    assert [int(row["pattern"]) for row in rows] == [0] * 3 + [1] * 4
    assert {"x", "y", "radii", "x_error", "radii_error"} <= rows[0].keys()
    drawn = DatasetSource.of(dataset).read(1).truth
    assert drawn is not None
    found = sorted(float(row["radii"]) for row in rows if row["pattern"] == "1")
    assert found == pytest.approx(sorted(drawn.particles[0].bounding_radii), rel=1e-4)


def test_the_hdf5_file_holds_pattern_computed_pattern_bodies_and_errors(
    whole: Path, dataset: Dataset
) -> None:
    (expected,) = dataset.patterns().raw([0])
    with h5py.File(whole / "pattern-00000.h5") as file:
        data = file["entry_1/data_1"]
        np.testing.assert_array_equal(data["data"][0], expected)
        seen = data["pixel_mask"][()] == 0
        assert np.count_nonzero(~seen) == 9
        np.testing.assert_allclose(data["computed"][0][seen], expected[seen], rtol=1e-3, atol=1.0)
        disks = file["entry_1/particles/Disks"]
        assert disks["centers"].shape == disks["centers_errors"].shape == (3, 2)
        assert disks["pattern_index"][()].tolist() == [0, 0, 0]


def test_any_number_of_workers_gives_the_same_bytes(
    whole: Path, dataset: Dataset, tmp_path: Path
) -> None:
    solve(DatasetSource.of(dataset), range(2), Recipe(), tmp_path / "two", workers=2)
    names = sorted(path.name for path in whole.iterdir())
    assert names == sorted(path.name for path in (tmp_path / "two").iterdir())
    assert len(names) == 2 * 3 + 2
    for name in names:
        assert (whole / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_the_same_call_solves_only_what_is_missing(
    whole: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in whole.iterdir()}
    (whole / "pattern-00001.png").unlink()
    asked = []
    solve_subject = solving.solve_subject
    monkeypatch.setattr(
        solving, "solve_subject", lambda r, s: (asked.append(s.index), solve_subject(r, s))[1]
    )
    answers = solve(DatasetSource.of(dataset), range(2), Recipe(), whole, workers=1)
    assert asked == [1]
    assert [answer.seconds is None for answer in answers] == [True, False]
    assert before == {path.name: path.read_bytes() for path in whole.iterdir()}


def test_a_folder_of_something_else_is_left_alone(
    whole: Path, dataset: Dataset, tmp_path: Path
) -> None:
    source = DatasetSource.of(dataset)
    with pytest.raises(OutputError, match=r"differ in solver\.options\.starts"):
        solve(source, [0], Recipe(options={"starts": 3}), whole)
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="contains no solutions"):
        solve(source, [0], Recipe(), tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_one_pattern_that_cannot_be_read_costs_only_its_own_answer(patterns: Path) -> None:
    spoilt = np.load(patterns)
    spoilt[0, 3, 4] = np.nan
    source = FileSource(
        "spoilt.npy", spoilt, FileSource.open(patterns, FrameOptions(step=np.pi / 500)).grid
    )
    first, second = solve(source, [0, 1], Recipe())
    assert isinstance(first.error, PatternError)
    assert first.error.where == "spoilt.npy, pattern 0"
    assert second.record is not None
    assert second.record["solved"]


def test_an_option_that_the_solver_lacks_is_refused_before_anything_is_read() -> None:
    with pytest.raises(OptionError, match="shape"):
        Recipe(options={"shap": "disks"}).solver()

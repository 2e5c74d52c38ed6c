"""Grids that are named or known, masks, and one clear error for what is neither."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from speckle_core import DataError, Dataset, Experiment, KGrid, PatternError, SpeckleError
from speckle_core.data.frame_options import FrameOptions, read_mask
from speckle_core.solve.source import DatasetSource, FileSource


def test_a_data_set_knows_its_grid_its_bodies_and_its_beamstop(dataset: Dataset) -> None:
    subject = DatasetSource.of(dataset).read(1)
    assert subject.grid == dataset.grid
    assert subject.label == 4
    assert subject.truth is not None
    assert len(subject.truth) == 4
    assert subject.mask is not None
    hidden = np.argwhere(~subject.mask)
    assert hidden.min() == 31
    assert hidden.max() == 33
    assert len(hidden) == 9


def test_the_bodies_are_those_of_the_pattern(dataset: Dataset) -> None:
    subject = DatasetSource.of(dataset).read(1)
    pipeline = dataset.experiment.build(only=("structure", "scattering"))
    assert subject.truth is not None
    (again,) = pipeline.simulate([subject.truth])
    np.testing.assert_allclose(subject.pattern, again, rtol=1e-5)


def test_a_file_lies_on_the_grid_that_is_named(patterns: Path, experiment: Path) -> None:
    like = FileSource.open(patterns, like=Experiment.load(experiment)).grid
    assert like == KGrid.centered(65, np.pi / 500)
    assert FileSource.open(patterns, FrameOptions(step=0.01)).grid == KGrid.centered(65, 0.01)


def test_a_file_without_a_step_is_refused_with_what_to_write(patterns: Path) -> None:
    with pytest.raises(DataError, match=r"(?s)the k step of its pixels.*--like.*--step"):
        FileSource.open(patterns)


def test_a_grid_of_another_size_is_refused(patterns: Path) -> None:
    source = FileSource.open(patterns, like=Experiment.load("quickstart"))
    with pytest.raises(PatternError, match=r"65 × 65 pixels of unknown k step.*129 × 129"):
        source.read(0)


def test_patterns_without_a_middle_pixel_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "even.npy", np.ones((64, 64)))
    with pytest.raises(PatternError, match="no middle pixel"):
        FileSource.open(tmp_path / "even.npy", FrameOptions(step=0.01))


@pytest.mark.parametrize("dtype", [bool, np.uint8, float])
def test_a_mask_file_marks_what_does_not_count(dtype: type, tmp_path: Path) -> None:
    bad = np.zeros((5, 5), dtype=dtype)
    bad[1, 2] = 1
    np.save(tmp_path / "mask.npy", bad)
    counts = read_mask(str(tmp_path / "mask.npy"))
    assert counts.dtype == bool
    assert np.argwhere(~counts).tolist() == [[1, 2]]


def test_a_stack_is_not_a_mask(patterns: Path) -> None:
    with pytest.raises(SpeckleError, match="contains 2 masks, not one"):
        read_mask(str(patterns))

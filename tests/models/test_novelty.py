from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from speckle_core import KGrid, ModelError, Pipeline
from speckle_core.models.novelty import TrainingProfiles

GRID = KGrid.centered(65, np.pi / 1000)


def pipeline(grid: KGrid = GRID) -> Pipeline:
    return Pipeline(
        sampler="monodisperse",
        scatterer="analytic",
        grid=grid,
        prepare=["block-center", "standardize"],
    )


@pytest.fixture(scope="module")
def familiar() -> TrainingProfiles:
    return TrainingProfiles.of(pipeline().pattern_set([2, 5, 9], 40, seed=1))


def prepared(grid: KGrid, counts: list[int], seed: int) -> np.ndarray:
    return pipeline(grid).pattern_set(counts, 20, seed=seed).batch(np.arange(20 * len(counts)))[0]


def test_unseen_patterns_of_the_same_systems_are_familiar(familiar: TrainingProfiles) -> None:
    distances = familiar.distances(prepared(GRID, [2, 5, 9], 2), GRID)
    assert 0.2 < np.median(distances) < 0.8
    assert familiar.far(distances).mean() <= 0.05


def test_a_class_that_was_not_trained_and_noise_are_far(familiar: TrainingProfiles) -> None:
    stranger = familiar.distances(prepared(GRID, [20], 2), GRID)
    noise = familiar.distances(np.random.default_rng(0).normal(size=(5, 65, 65)), GRID)
    assert familiar.far(stranger).all()
    assert familiar.far(noise).all()


def test_another_step_is_far(familiar: TrainingProfiles) -> None:
    finer = KGrid.centered(65, np.pi / 2000)
    assert familiar.far(familiar.distances(prepared(finer, [5], 2), GRID)).all()


def test_no_pattern_of_the_training_is_farther_than_the_farthest(
    familiar: TrainingProfiles,
) -> None:
    train = pipeline().pattern_set([2, 5, 9], 40, seed=1)
    distances = familiar.distances(train.batch(np.arange(len(train)))[0], GRID)
    assert distances.max() == pytest.approx(1, abs=0.1)
    assert distances.max() <= 1 + 1e-9


def test_an_offset_does_not_count_but_another_brightness_does(familiar: TrainingProfiles) -> None:
    """A network that was shown values of one size is shown others: its answers mean nothing."""
    patterns = prepared(GRID, [5], 2)
    expected = familiar.distances(patterns, GRID)
    assert familiar.distances(patterns + 3, GRID) == pytest.approx(expected, rel=1e-3)
    assert familiar.far(familiar.distances(2 * patterns, GRID)).all()


def test_a_wider_view_is_measured_on_the_rings_of_the_training(familiar: TrainingProfiles) -> None:
    wide = KGrid.centered(97, np.pi / 1000)
    patterns = prepared(wide, [5], 2)
    middle = patterns[:, 16:-16, 16:-16]
    assert familiar.distances(patterns, wide) == pytest.approx(
        familiar.distances(middle, GRID), rel=0.05
    )


def test_a_wider_view_standardized_as_a_whole_is_brighter_and_so_far(
    familiar: TrainingProfiles,
) -> None:
    """Variance 1 over more dark pixels lifts the middle, as a network trained on 257² sees 513²."""
    wide = KGrid.centered(129, np.pi / 1000)
    assert familiar.far(familiar.distances(prepared(wide, [5], 2), wide)).all()


def test_a_narrower_view_cannot_be_measured(familiar: TrainingProfiles) -> None:
    narrow = KGrid.centered(33, np.pi / 1000)
    assert np.isnan(familiar.distances(prepared(narrow, [5], 2), narrow)).all()


def test_profiles_survive_their_file_and_a_damaged_one_is_refused(
    familiar: TrainingProfiles, tmp_path: Path
) -> None:
    familiar.save(tmp_path)
    again = TrainingProfiles.load(tmp_path)
    assert np.array_equal(again.means, familiar.means)
    (tmp_path / "familiar.json").write_text(
        '{"means": [[1]], "spread": [1, 2], "farthest": [1, 1]}'
    )
    with pytest.raises(ModelError, match="inconsistent shapes"):
        TrainingProfiles.load(tmp_path)

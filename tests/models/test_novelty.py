from __future__ import annotations

from pathlib import Path

import attrs
import numpy as np
import pytest

from speckle_core import KGrid, ModelError, PatternSet, Pipeline, create
from speckle_core.analysis.azimuthal import best_friedel_correlation
from speckle_core.analysis.ring_profiles import ring_profiles
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


def wide() -> np.ndarray:
    return pipeline().pattern_set([5], 20, seed=2).raw(np.arange(20))


def test_less_contrast_is_far_and_photon_noise_is_not_less(familiar: TrainingProfiles) -> None:
    """Ten modes of a beam leave a tenth of the contrast of every ring and change no profile."""
    raw = wide()
    others = [pipeline().pattern_set([5], 20, seed=s).raw(np.arange(20)) for s in range(3, 12)]
    modes = pipeline().prepared(np.mean([raw, *others], axis=0))
    # As bright as the training patterns of that class, which standardizing does not make them.
    modes -= modes.min(axis=(1, 2), keepdims=True)
    lack = familiar.means[1, -1] - ring_profiles(modes, GRID)[:, -1]
    modes *= np.exp(lack)[:, None, None]
    assert familiar.far(familiar.distances(modes, GRID)).mean() > 0.9
    assert all("less contrast" in why for why in familiar.reasons(modes, GRID))
    scale = 3e5 / raw[:, np.hypot(*np.meshgrid(GRID.indices, GRID.indices)) > 8].sum(axis=1)
    counts = np.random.default_rng(0).poisson(raw * scale[:, None, None])
    noisy = pipeline().prepared(counts.astype(np.float64))
    assert familiar.far(familiar.distances(noisy, GRID)).mean() < 0.1


def test_pixels_that_were_not_measured_do_not_count(familiar: TrainingProfiles) -> None:
    raw = wide()
    measured = np.ones(raw.shape, dtype=bool)
    measured[:, 20:24] = measured[:, :, 40:43] = False
    # Where only -k was measured, a pattern holds that; elsewhere an estimate.
    seen = measured | measured[:, ::-1, ::-1]
    filled = PatternSet.from_arrays(np.where(seen, raw, 7e9), np.full(20, 5), GRID)
    patterns = filled.with_measured(measured)
    valid, known = patterns.valid([0, 3]), patterns.subset([3, 0]).measured([1])
    assert valid is not None
    assert known is not None
    assert np.array_equal(valid[1], seen[3])
    assert np.array_equal(known[0], measured[0])
    # Standardized by the other pixels: as the same pattern without a gap, but for their share.
    step = create("preprocessor", "standardize")
    whole = PatternSet.from_arrays(raw, np.full(20, 5), GRID, steps=[step]).batch([0])[0]
    masked = patterns.prepared_with([step])
    for found in (masked.batch([0])[0], masked.cached().batch([0])[0]):
        assert np.abs(found - whole)[:, seen[0]].max() < 0.1 * np.abs(whole).max()


def test_trained_on_noise_and_an_unsteady_centre_a_wrong_centre_is_far_all_the_same() -> None:
    """Where k and -k of training patterns agree little, their light still lies about k = 0."""
    detector = create("detector", "counting", photons=1e5, jitter=1.0)
    made = Pipeline(
        sampler="monodisperse",
        scatterer="analytic",
        detector=detector,
        grid=GRID,
        prepare=["block-center", "standardize"],
    )
    trained = TrainingProfiles.of(made.pattern_set([2, 5, 9], 60, seed=1))
    unseen = made.pattern_set([5, 9], 20, seed=2).raw(np.arange(40))
    near, off = (made.prepared(np.roll(unseen, by, axis=2)) for by in (0, 8))
    assert trained.far(trained.distances(near, GRID)).mean() <= 0.1
    assert trained.far(trained.distances(off, GRID)).all()
    assert any("wrong centre" in why for why in trained.reasons(off, GRID))


def test_few_photons_are_far_although_the_centre_is_unsteady() -> None:
    """The limit counts about the best centre nearby, where a jittered pattern keeps it."""

    grid = KGrid.centered(65, np.pi / 2000)

    def made(photons: float) -> Pipeline:
        return Pipeline(
            sampler="monodisperse",
            scatterer="analytic",
            detector=create("detector", "counting", photons=photons, jitter=1.0),
            grid=grid,
            prepare=["block-center", "standardize"],
        )

    trained = TrainingProfiles.of(made(1e6).pattern_set([2, 5, 9], 40, seed=1))
    some = np.arange(20)
    bright, dim = (made(p).pattern_set([5, 9], 10, seed=2).batch(some)[0] for p in (1e6, 1e3))
    least = float(best_friedel_correlation(bright, grid).min())
    limited = attrs.evolve(trained, noise=least - 0.01)
    assert not (trained.asymmetry(dim, grid) > 1.5).any()
    assert (limited.asymmetry(dim, grid) > 1.5).all()
    assert not limited.far(limited.asymmetry(bright, grid)).any()

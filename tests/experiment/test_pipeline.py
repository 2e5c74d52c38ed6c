from __future__ import annotations

import numpy as np
import pytest

from speckle_core import (
    Configuration,
    DataError,
    KGrid,
    PackingError,
    PatternError,
    PatternSet,
    Pipeline,
    PluginError,
    create,
)
from speckle_core.contracts.preparation import prepare

GRID = KGrid.centered(17, np.pi / 2000)


def pipeline(**changes: object) -> Pipeline:
    parts = {"sampler": "monodisperse", "scatterer": "analytic", "grid": GRID}
    return Pipeline(**(parts | changes))


def test_a_pattern_depends_on_its_class_number_and_seed_alone() -> None:
    made = pipeline()
    patterns = made.pattern_set([3, 2], 4, seed=5)
    rng = np.random.default_rng(np.random.SeedSequence(5, spawn_key=(3, 1)))
    alone = made.simulate([create("sampler", "monodisperse").sample(3, rng)])[0]
    assert patterns.labels.tolist() == [2, 2, 2, 2, 3, 3, 3, 3]
    assert np.array_equal(patterns.raw(5)[0], alone)
    assert not np.array_equal(patterns.raw(4)[0], alone)


def test_a_scatterer_without_the_batch_power_gives_the_same_patterns() -> None:
    class OneByOne:
        def __init__(self) -> None:
            self.amplitude = create("scatterer", "analytic").amplitude

        def intensity(self, configuration: Configuration, grid: KGrid) -> np.ndarray:
            return np.abs(self.amplitude(configuration, grid)) ** 2

    drawn = [pipeline().draw(4, i, 0) for i in range(3)]
    expected = pipeline().simulate(drawn)
    assert pipeline(scatterer=OneByOne()).simulate(drawn) == pytest.approx(expected, rel=1e-5)


def test_a_sampler_that_gives_another_number_is_a_plugin_error() -> None:
    class Off:
        def sample(self, count: int, rng: np.random.Generator) -> Configuration:
            return create("sampler", "monodisperse").sample(count + 1, rng)

    with pytest.raises(PluginError, match="asked for 3 particles but returned 4"):
        pipeline(sampler=Off()).draw(3, 0, 0)


def test_what_cannot_be_packed_says_for_which_number() -> None:
    crowded = create("sampler", "monodisperse", radius=450.0)
    with pytest.raises(PackingError, match="n = 20"):
        pipeline(sampler=crowded).draw(20, 0, 0)


def test_a_missing_part_is_named() -> None:
    with pytest.raises(PluginError, match="no classifier"):
        pipeline().predict(np.ones((17, 17)))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_infinity_in_a_pattern_are_named_by_its_number(bad: float) -> None:
    patterns = np.ones((3, 17, 17))
    patterns[1, 2, 3] = bad
    with pytest.raises(PatternError, match="pattern 1 contains NaN or infinity"):
        prepare(patterns, GRID, ())


def test_a_pattern_without_variance_cannot_be_standardized() -> None:
    with pytest.raises(PatternError, match="no variance"):
        prepare(np.zeros((1, 17, 17)), GRID, [create("preprocessor", "standardize")])


def test_a_pattern_of_even_size_has_no_middle() -> None:
    with pytest.raises(PatternError, match="no middle pixel"):
        pipeline().prepared(np.ones((16, 16)))


def test_labels_outside_the_classes_are_refused() -> None:
    with pytest.raises(DataError, match=r"\[9\] are not among the classes 2…3"):
        PatternSet.from_arrays(np.ones((2, 17, 17)), [2, 9], GRID, classes=[2, 3])


def test_a_subset_reads_what_it_names_in_its_order() -> None:
    patterns = np.arange(5 * 17 * 17, dtype=float).reshape(5, 17, 17)
    whole = PatternSet.from_arrays(patterns, [2, 2, 3, 3, 3], GRID)
    part = whole.subset([4, 0, 3]).subset([2, 0])
    got, labels = part.batch([0, 1])
    assert np.array_equal(got, patterns[[3, 4]].astype(np.float32))
    assert labels.tolist() == [3, 3]
    assert part.classes.tolist() == [2, 3]


def test_kept_patterns_are_prepared_once_and_stay_as_they_were() -> None:
    patterns = np.random.default_rng(0).random((5, 17, 17))
    lazy = PatternSet.from_arrays(patterns, [2, 2, 3, 3, 3], GRID, classes=[2, 3, 4])
    prepared = lazy.prepared_with([create("preprocessor", "standardize")])
    heard: list[int] = []
    kept = prepared.with_progress(heard.append).cached()
    asked = [4, 0, 4]
    expected, labels = prepared.batch(asked)
    got, same = kept.batch(asked)
    assert np.array_equal(got, expected)
    assert same.tolist() == labels.tolist() == [3, 2, 3]
    assert (kept.classes.tolist(), heard) == ([2, 3, 4], [3])
    patterns[:] = np.nan
    got[:] = 0
    assert np.array_equal(kept.batch(asked)[0], expected)
    with pytest.raises(PatternError, match="NaN"):
        kept.batch([1])


def test_the_former_names_of_cached_and_with_progress_warn_and_still_work() -> None:
    patterns = np.random.default_rng(0).random((2, *GRID.shape), np.float32)
    lazy = PatternSet.from_arrays(patterns, [2, 3], GRID)
    heard: list[int] = []
    with pytest.warns(DeprecationWarning, match=r"now with_progress\(\)"):
        followed = lazy.watched(heard.append)
    with pytest.warns(DeprecationWarning, match=r"now cached\(\)"):
        cached = lazy.kept()
    assert np.array_equal(followed.batch([1])[0], patterns[1:])
    assert heard == [1]
    patterns[:] = 0
    assert not cached.batch([0])[0].any()


def test_a_quadrant_grid_is_a_corner_of_the_centred_one() -> None:
    drawn = [pipeline().draw(5, 0, 0)]
    centred = pipeline().simulate(drawn)[0]
    quadrant = pipeline(grid=KGrid.quadrant(9, np.pi / 2000)).simulate(drawn)[0]
    assert quadrant == pytest.approx(centred[8:, 8:], rel=1e-5)


@pytest.mark.parametrize("part", ["classifier", "baselines"])
def test_values_are_not_left_aside_by_what_learns_classes(part: str) -> None:
    solver = create("classifier", "solve")
    parts = {"classifier": create("classifier", "radial-lda")}
    parts[part] = solver if part == "classifier" else {"solve": solver}
    made = pipeline(**parts)
    patterns = made.pattern_set([2, 3], 4, seed=5)
    with pytest.raises(PluginError, match="only as a class"):
        made.fit(patterns.with_values(np.arange(8.0)))

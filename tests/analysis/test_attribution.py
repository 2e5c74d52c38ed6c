"""What the network uses, on classifiers of which that is known."""

import numpy as np
import pytest
from scipy import stats

from speckle_core import PatternSet
from speckle_core.analysis.attribution import (
    analyse,
    attribution_density,
    central_share,
    class_means,
    randomised,
    rank_correlation,
)
from speckle_core.analysis.deletion import deletion_curve
from speckle_core.analysis.lattice import lattice_of
from speckle_core.errors import DataError, PluginError
from tests.analysis.ring_reader import (
    CROP,
    GRID,
    LABELS,
    RING,
    TARGETS,
    RingReader,
    crop_reader,
    maps_of_the_ring,
    rings,
)


class Weights:
    """Explains a `RingReader` by the pixels it weighs."""

    def explain(self, classifier, patterns, targets):
        sign = np.where(np.asarray(targets) == 1, 1.0, -1.0)
        return sign[:, None, None] * classifier.where


def test_density_makes_maps_of_any_scale_count_alike():
    maps = np.array([[[1.0, -3.0]], [[0.002, 0.006]], [[0.0, 0.0]]])
    np.testing.assert_allclose(
        attribution_density(maps), [[[0.5, 1.5]], [[0.5, 1.5]], [[np.nan, np.nan]]]
    )


def test_class_means_leave_out_what_is_no_number():
    values = np.array([[1.0, 4.0], [3.0, np.nan], [7.0, 7.0]])
    np.testing.assert_array_equal(
        class_means(values, [2, 2, 4], [2, 3, 4]), [[2, 4], [np.nan, np.nan], [7, 7]]
    )


def test_the_central_share_of_an_even_map_is_that_of_the_pixels():
    inside = np.count_nonzero(GRID.distance() < 7.5) / 41**2
    maps = np.ones((2, *GRID.shape))
    np.testing.assert_allclose(central_share(maps, GRID, 0.75), inside)
    np.testing.assert_allclose(central_share(maps, GRID, [0.75, np.nan]), [inside, np.nan])


def test_a_ring_s_attribution_lies_inside_or_outside_the_lobe():
    maps = np.concatenate([maps_of_the_ring(1), -maps_of_the_ring(1), 0 * maps_of_the_ring(1)])
    np.testing.assert_array_equal(central_share(maps, GRID, 0.9), [0, 0, np.nan])
    np.testing.assert_array_equal(central_share(maps, GRID, 1.3), [1, 1, np.nan])


def test_rank_correlation_is_scipy_s_spearman_of_the_magnitudes():
    first, second = np.random.default_rng(2).normal(size=(2, 3, 6, 7)).round(1)
    expected = [
        stats.spearmanr(np.abs(a).ravel(), np.abs(b).ravel()).statistic
        for a, b in zip(first, second, strict=True)
    ]
    np.testing.assert_allclose(rank_correlation(first, second), expected, rtol=1e-12)
    np.testing.assert_allclose(rank_correlation(first, -5 * first), 1)
    assert np.isnan(rank_correlation(first, np.ones_like(first))).all()


def test_a_classifier_that_cannot_be_randomised_is_refused_by_name():
    with pytest.raises(PluginError, match=r"Weights[\s\S]*SupportsRandomised"):
        randomised(Weights(), seed=0)


def disks_and_rings(seed=0):
    """As `rings`, under a lobe that ends at pixel 15."""
    lobe = np.cos(np.pi * GRID.distance() / 30) ** 2 + 1e-4
    return rings(seed=seed) * lobe


def test_the_analysis_finds_the_ring_that_the_classifier_reads():
    patterns = PatternSet.from_arrays(disks_and_rings(), LABELS, GRID)
    found = analyse(Weights(), RingReader(), patterns, batch_size=16, fill="blocked", seed=1)
    ring = [0.0] * 10 + [41**2 / RING.sum()] * 3 + [0.0] * 8
    np.testing.assert_array_equal(found.classes, [2, 5])
    np.testing.assert_allclose(found.k, np.arange(21) * 0.1)
    for row in found.attribution:
        np.testing.assert_allclose(row, ring)
    np.testing.assert_allclose(found.edge, 1.5)
    np.testing.assert_allclose(found.share, 1)
    np.testing.assert_allclose(found.area, np.count_nonzero(GRID.distance() < 15) / 41**2)
    np.testing.assert_allclose(found.control[:, 5:].mean(), 1, atol=0.1)
    assert np.abs(found.agreement).max() < 0.1
    expected = patterns.raw(np.arange(0, 40, 2)).mean(axis=0)[20, 20]
    np.testing.assert_allclose(found.intensity[0, 0], expected)
    assert found.deletion.most_attributed[-1] == 0.5


def test_maps_are_judged_on_the_pixels_that_are_read():
    patterns = PatternSet.from_arrays(disks_and_rings(), LABELS, GRID)
    arguments = {"batch_size": 16, "fill": "blocked", "seed": 1}
    arguments["fractions"] = [0, (RING & CROP).sum() / CROP.sum(), 1]
    arguments["zeros"] = {2: np.array([0.75]), 5: np.array([0.75])}
    told = analyse(Weights(), crop_reader(), patterns, **arguments)
    # Both maps are 0 on five sixths of the pattern, where they cannot but agree.
    assert np.abs(told.agreement).max() < 0.15
    np.testing.assert_allclose(told.control[:, :9].mean(), 1, atol=0.1)
    rings = CROP.sum() / (RING & CROP).sum()
    np.testing.assert_allclose(told.attribution[:, 10:12], rings, rtol=1e-4)
    np.testing.assert_allclose(told.attribution[:, :9], 0, atol=1e-3)
    # The corner of the crop is 11.3 pixels from the middle.
    assert np.isnan(told.attribution[:, 12:]).all()
    assert np.isnan(told.control[:, 12:]).all()
    lobe = CROP & (GRID.distance() < 7.5)
    np.testing.assert_allclose(told.area, lobe.sum() / CROP.sum())


def test_the_lattice_is_that_of_the_mean_of_all_maps_where_the_classifier_reads():
    # 29 rows and 33 columns, off the middle, so that rows are told from columns.
    read = np.zeros(GRID.shape, dtype=bool)
    read[3:32, 6:39] = True
    rng = np.random.default_rng(8)
    own, others = rng.random((2, 40, *GRID.shape))
    own[:, ::4, ::4] += 3.0

    class Reader(RingReader):
        def region(self, grid):
            return read

        def randomised(self, *, seed):
            return Control(where=self.where)

    class Control(RingReader):
        pass

    class Drawn:
        """Explains the pattern of a number, which its first pixel says, by the map of it."""

        def explain(self, classifier, patterns, targets):
            drawn = others if isinstance(classifier, Control) else own
            return drawn[patterns[:, 0, 0].astype(int)]

    patterns = disks_and_rings()
    patterns[:, 0, 0] = np.arange(40)
    told = analyse(
        Drawn(), Reader(), PatternSet.from_arrays(patterns, LABELS, GRID), fractions=[0.0]
    ).lattice
    means = [
        np.mean([m / m[read].mean() for m in maps], axis=0)[3:32, 6:39] for maps in (own, others)
    ]
    expected = lattice_of(*means)
    np.testing.assert_allclose(told.share, expected.share)
    np.testing.assert_allclose(told.control, expected.control)
    np.testing.assert_array_equal(told.even, expected.even)
    assert told.period[told.strongest] == 4


def test_a_known_zero_is_the_edge_of_the_lobe_and_others_are_kept():
    patterns = PatternSet.from_arrays(disks_and_rings(), LABELS, GRID)
    zeros = {5: np.array([0.9, 1.7])}
    found = analyse(Weights(), RingReader(), patterns, zeros=zeros, fractions=[0.0])
    np.testing.assert_allclose(found.edge, [1.5, 0.9])  # class 2 as its profile has it
    np.testing.assert_array_equal(found.zeros, [[np.nan, np.nan], [0.9, 1.7]])
    np.testing.assert_allclose(found.share, [1, 0])


def test_the_analysis_is_silent_where_there_is_no_control_and_no_pattern_of_a_class():
    class Plain:
        classes = np.array([2, 5, 9])
        where = RING / RING.sum()

        def predict_proba(self, patterns):
            return np.full((len(patterns), 3), 1 / 3)

    patterns = PatternSet.from_arrays(disks_and_rings(), LABELS, GRID)
    found = analyse(Weights(), Plain(), patterns, fractions=[0.0])
    assert np.isnan(found.control).all()
    assert np.isnan(found.agreement).all()
    assert np.isnan([found.edge[2], found.share[2], found.area[2], found.attribution[2, 0]]).all()
    np.testing.assert_allclose(found.share[:2], 1)


def test_a_label_that_the_classifier_does_not_know_is_refused():
    patterns = PatternSet.from_arrays(rings(np.array([2, 7])), [2, 7], GRID)
    with pytest.raises(DataError, match="unknown to the classifier"):
        analyse(Weights(), RingReader(), patterns)


def halved(patterns, grid):
    return patterns / 2


class Spy:
    """Explains with the patterns that it is given, and keeps them, with who was asked."""

    def __init__(self):
        self.given, self.asked = [], []

    def explain(self, classifier, patterns, targets):
        self.given.append(patterns)
        self.asked.append(classifier)
        return patterns * RING


def test_the_network_and_its_control_explain_the_prepared_patterns_and_the_seed_makes_the_control():
    seeds = []

    class Seeded(RingReader):
        def randomised(self, *, seed):
            seeds.append(seed)
            return super().randomised(seed=seed)

    spy, reader = Spy(), Seeded()
    patterns = PatternSet.from_arrays(disks_and_rings(), LABELS, GRID, steps=[halved])
    asked_by_then = []
    analyse(
        spy,
        reader,
        patterns,
        seed=5,
        fractions=[0.0],
        advance=lambda count: asked_by_then.append((count, len(spy.asked))),
    )
    assert seeds == [5]
    # A batch counts when its control is done as well.
    assert asked_by_then == [(20, 2), (20, 4)]
    assert [asked is reader for asked in spy.asked] == [True, False] * 2
    for batch in (0, 1):
        expected = disks_and_rings()[20 * batch : 20 * (batch + 1)].astype(np.float32) / 2
        np.testing.assert_array_equal(spy.given[2 * batch], expected)
        np.testing.assert_array_equal(spy.given[2 * batch + 1], expected)


def test_the_deletion_curve_of_an_analysis_is_that_of_its_fractions_filling_and_seed():
    patterns = PatternSet.from_arrays(rings(), LABELS, GRID)
    shares = [0.0, 0.3, 1.0]
    for options in ({}, {"fill": "blocked"}, {"fill": "blocked", "seed": 5}):
        found = analyse(Weights(), RingReader(), patterns, fractions=shares, **options).deletion
        np.testing.assert_array_equal(found.fractions, shares)
        maps = Weights().explain(RingReader(), None, TARGETS)
        batches = {"batch_size": 20}  # two equal batches of at most 32
        alone = deletion_curve(
            RingReader(), rings(), TARGETS, maps, GRID, fractions=shares, **batches, **options
        )
        np.testing.assert_array_equal(found.random, alone.random)
        np.testing.assert_array_equal(found.most_attributed, alone.most_attributed)

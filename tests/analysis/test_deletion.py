"""How fast a classifier forgets when pixels are taken away, where it is known what it reads."""

import numpy as np
import pytest

from speckle_core.analysis.deletion import deletion_curve
from speckle_core.errors import DataError
from tests.analysis.ring_reader import (
    CROP,
    GRID,
    LABELS,
    RING,
    TARGETS,
    CropReader,
    RingReader,
    SpeckleReader,
    crop_reader,
    maps_of_the_ring,
    rings,
)


def test_blanking_the_ring_that_is_used_leaves_a_guess_and_random_pixels_leave_the_answer():
    share = RING.mean()
    curve = deletion_curve(
        RingReader(),
        rings(),
        TARGETS,
        maps_of_the_ring(),
        GRID,
        fractions=[0, share, 1],
        fill="blocked",
    )
    np.testing.assert_allclose(curve.fractions, [0, share, 1])
    np.testing.assert_array_equal(curve.most_attributed, [1, 0.5, 0.5])
    assert curve.random[1] >= 0.9
    assert curve.random[2] == 0.5


def test_a_reader_of_the_profile_does_not_miss_the_speckle_and_a_reader_of_speckle_does():
    arguments = (rings(), TARGETS, maps_of_the_ring(), GRID)
    profile = deletion_curve(RingReader(), *arguments, fractions=[0, RING.mean(), 1])
    np.testing.assert_array_equal(profile.most_attributed, 1)
    np.testing.assert_array_equal(profile.random, 1)
    speckle = deletion_curve(SpeckleReader(), *arguments, fractions=[0, RING.mean(), 1])
    np.testing.assert_array_equal(speckle.most_attributed, [1, 0.5, 0.5])
    assert speckle.random[1] >= 0.9


def test_pixels_that_matter_alike_go_in_random_order():
    even = np.ones((len(LABELS), *GRID.shape))
    curve = deletion_curve(RingReader(), rings(), TARGETS, even, GRID, fill="blocked")
    np.testing.assert_array_equal(curve.most_attributed, curve.random)
    assert len(set(curve.random)) > 2


def test_the_deletion_curve_is_the_same_in_any_batches_and_never_in_larger_ones():
    reader = RingReader()
    noise = np.random.default_rng(8).normal(size=rings().shape)
    arguments = (rings(), TARGETS, noise, GRID)
    small = deletion_curve(reader, *arguments, batch_size=7, fill="blocked", seed=3)
    assert max(reader.seen) == 7
    large = deletion_curve(RingReader(), *arguments, batch_size=40, fill="blocked", seed=3)
    np.testing.assert_array_equal(small.most_attributed, large.most_attributed)
    np.testing.assert_array_equal(small.random, large.random)


def test_a_deletion_curve_needs_one_map_for_each_pattern():
    with pytest.raises(DataError, match="40 patterns, 40 targets and 3 maps"):
        deletion_curve(RingReader(), rings(), TARGETS, maps_of_the_ring(3), GRID)


def test_a_share_of_the_pixels_is_one_of_those_that_are_read():
    share = (RING & CROP).sum() / CROP.sum()
    maps = np.broadcast_to((RING & CROP) * 1.0, (40, *GRID.shape))
    curve = deletion_curve(
        crop_reader(), rings(), TARGETS, maps, GRID, fractions=[0, share], fill="blocked"
    )
    np.testing.assert_array_equal(curve.most_attributed, [1, 0.5])
    gone = []

    class Watcher(CropReader):
        def predict_proba(self, patterns):
            gone.append(patterns != rings())
            return super().predict_proba(patterns)

    arguments = (rings(), TARGETS, maps, GRID)
    deletion_curve(Watcher(), *arguments, fractions=[share], fill="blocked", batch_size=40)
    assert len(gone) == 2
    for row in gone:
        assert not row[:, ~CROP].any()
        assert np.sum(row, axis=(1, 2)).max() <= (RING & CROP).sum()


def test_a_blocked_pattern_holds_its_own_smallest_value_and_one_pattern_is_enough():
    given = []

    class Watcher(RingReader):
        def predict_proba(self, patterns):
            given.append(patterns.copy())
            return super().predict_proba(patterns)

    patterns = rings()[:2] + np.array([0.0, 7.0])[:, None, None]
    for some in (patterns, patterns[:1]):
        given.clear()
        maps = maps_of_the_ring(len(some))
        deletion_curve(
            Watcher(), some, TARGETS[: len(some)], maps, GRID, fractions=[1.0], fill="blocked"
        )
        expected = np.broadcast_to(some.min(axis=(1, 2), keepdims=True), some.shape)
        for filled in given:
            np.testing.assert_array_equal(filled, expected)


def test_no_pattern_makes_no_deletion_curve():
    with pytest.raises(DataError, match="0 patterns"):
        deletion_curve(RingReader(), rings()[:0], TARGETS[:0], maps_of_the_ring(0), GRID)

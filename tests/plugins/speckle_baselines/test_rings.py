"""Rings, recovered intensities and Patterson maps, against sums written out."""

import numpy as np
import pytest

from speckle_baselines.azimuthal import Rings
from speckle_baselines.pair_peaks import patterson, peak_heights
from speckle_core import KGrid
from speckle_core.contracts.patterns import PatternSet


def rings_of(grid, blocked=()):
    mask = np.zeros(grid.shape, dtype=bool)
    for place in blocked:
        mask[place] = True
    return Rings(grid, mask)


@pytest.mark.parametrize("layout", ["centered", "quadrant"])
def test_the_mean_of_a_ring_is_that_of_its_pixels(layout):
    grid = KGrid(layout, 21, 0.1)
    rings = rings_of(grid, [grid.block(5)])
    image = np.random.default_rng(0).random((2, 21, 21))
    found = rings.mean(image.reshape(2, -1)[:, rings.pixels])
    distance = np.where(rings.blocked, np.nan, grid.distance())
    farthest = 14 if layout == "centered" else 28
    for radius, column, mean in zip(range(3, farthest + 1), found.T, rings.radii, strict=True):
        here = np.abs(distance - radius) < 0.5
        assert column == pytest.approx(image[:, here].mean(axis=1))
        assert mean == pytest.approx(distance[here].mean())


def test_an_intensity_that_depends_on_k_alone_is_one_over_its_mean():
    grid = KGrid.centered(65, 0.1)
    rings = rings_of(grid, [grid.block(5)])
    values = np.exp(-rings.distance[None] / 9)
    between = (rings.distance >= rings.radii[0]) & (rings.distance <= rings.radii[-1])
    assert rings.over_mean(values)[:, between] == pytest.approx(1.0, abs=0.005)
    assert rings.over_mean(values, smoothing=1.0)[:, between] == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("shape", ["square", "disk", "with a gap"])
def test_any_shape_of_beamstop_is_found(shape, simulate):
    bare = simulate("constant area", [3, 7], 5).prepared_with(())
    hidden = np.zeros(bare.grid.shape, dtype=bool)
    if shape == "disk":
        hidden |= bare.grid.distance() < 8.5
    else:
        hidden[bare.grid.block(9)] = True
    if shape == "with a gap":
        hidden[:, 40:43] = True

    class Hide:
        def __call__(self, patterns, grid):
            stopped = np.where(hidden, 0, patterns)
            return (stopped - stopped.mean()) / stopped.std()

    assert np.array_equal(Rings.of(bare.prepared_with([Hide()])).blocked, hidden)


def test_the_intensity_is_recovered_up_to_a_factor(simulate):
    patterns = simulate("constant area", [3], 4)
    rings = Rings.of(patterns)
    raw = patterns.raw([0, 1]).reshape(2, -1)[:, rings.pixels].astype(float)
    found = rings.intensities(patterns.batch([0, 1])[0])
    assert found == pytest.approx(raw / raw.mean(axis=1, keepdims=True), abs=1e-4)


def pairs_pattern(grid, centers):
    kx, ky = np.meshgrid(grid.axis, grid.axis)
    phases = np.array([np.exp(-1j * (kx * x + ky * y)) for x, y in centers])
    return np.abs(phases.sum(axis=0)) ** 2


@pytest.mark.parametrize("layout", ["centered", "quadrant"])
def test_every_pair_gives_a_peak_of_one_over_n_where_it_lies(layout):
    grid = KGrid(layout, 129 if layout == "centered" else 128, np.pi / 2000)
    centers = np.array([(300, 400), (1200, 700), (500, 1500), (1500, 1700)])
    pattern = pairs_pattern(grid, centers)
    rings = rings_of(grid, [grid.block(11)])
    values = pattern.ravel()[rings.pixels][None]
    shifts = [a - b for i, a in enumerate(centers) for b in centers[:i]]
    heights = peak_heights(rings, values / values.mean(), 20)[0]
    pairs = 6 if layout == "centered" else 12  # a quadrant's map is not doubled by Friedel's law
    assert heights[:6] == pytest.approx(0.25, abs=0.06)
    assert heights[6] < 0.13
    assert pairs in (6, 12)

    map_ = patterson(rings, values / values.mean())[0]
    size = len(map_)
    spacing = 2 * np.pi / (size * grid.step)
    for x, y in (s if s[0] >= 0 else -s for s in shifts):
        column, row = round(x / spacing), round(y / spacing) % size
        near = map_[np.arange(row - 1, row + 2) % size][:, max(column - 1, 0) : column + 2]
        assert near.max() == pytest.approx(0.25, abs=0.06)


def test_fewer_peaks_than_asked_for_leave_zeros():
    grid = KGrid.centered(17, 0.01)
    rings = rings_of(grid)
    heights = peak_heights(rings, np.exp(-rings.distance[None]), 500)
    assert heights.shape == (1, 500)
    assert heights[0, -1] == 0
    assert np.all(np.diff(heights[0]) <= 0)


def test_blocked_pixels_are_looked_for_without_reading_everything(simulate):
    handed = []
    Rings.of(simulate("constant area", range(2, 12), 60).with_progress(handed.append))
    assert sum(handed) <= 32


def test_a_pattern_is_left_as_it_was(simulate):
    patterns = simulate("constant area", [3], 4)
    batch, _ = patterns.batch([0, 1])
    before = batch.copy()
    Rings.of(patterns).intensities(batch)
    assert np.array_equal(batch, before)


def test_rings_can_be_made_of_raw_arrays():
    images = np.random.default_rng(2).random((6, 9, 9)).astype(np.float32)
    rings = Rings.of(PatternSet.from_arrays(images, [1, 1, 1, 2, 2, 2], KGrid.centered(9, 0.2)))
    assert not rings.blocked.any()
    assert rings.counts.sum() == 81

"""Rings about k = 0, and the edge of the central lobe, against closed forms."""

import functools

import numpy as np
import pytest
from scipy import ndimage, special

from speckle_core import KGrid
from speckle_core.analysis.azimuthal import (
    azimuthal_fill,
    azimuthal_mean,
    best_friedel_correlation,
    first_minimum,
    friedel_correlation,
    ring_k,
)

STEP = np.pi / 2000
GRID = KGrid.centered(257, STEP)


def disk_intensities(count, patterns, rng, spread=0.0):
    """|A|² of disks at random places, by hand: radius 90·sqrt(2/n), ± `spread` of itself."""
    axis = GRID.axis
    found = []
    for _ in range(patterns):
        x, y = rng.uniform(0, 2000, (2, count))
        radii = 90 * np.sqrt(2 / count) * np.abs(rng.normal(1, spread, count))
        kr = GRID.magnitude() * radii[:, None, None] + 1e-9
        bodies = radii[:, None, None] ** 2 * 2 * special.j1(kr) / kr
        waves = (
            np.exp(-1j * axis * y[:, None])[:, :, None]
            * np.exp(-1j * axis * x[:, None])[:, None, :]
        )
        found.append(np.abs(np.sum(bodies * waves, axis=0)) ** 2)
    return np.array(found)


@pytest.mark.parametrize("grid", [KGrid.centered(31, 0.5), KGrid.quadrant(16, 0.5)])
def test_the_mean_over_a_ring_is_scipy_s_mean_over_its_pixels(grid):
    images = np.random.default_rng(0).normal(size=(3, *grid.shape))
    ring = np.rint(np.hypot(*np.meshgrid(grid.indices, grid.indices))).astype(int)
    expected = [ndimage.mean(image, ring, np.arange(16)) for image in images]
    np.testing.assert_allclose(azimuthal_mean(images, grid), expected)
    np.testing.assert_allclose(ring_k(grid), np.arange(16) * 0.5)


def test_filling_keeps_every_ring_s_mean_and_takes_all_else():
    image = np.random.default_rng(1).normal(size=(1, 257, 257))
    filled = azimuthal_fill(image, GRID)
    np.testing.assert_allclose(azimuthal_mean(filled, GRID), azimuthal_mean(image, GRID))
    ring = np.rint(GRID.distance()).astype(int)
    assert ndimage.standard_deviation(filled[0], ring, np.arange(ring.max() + 1)).max() < 1e-12


@pytest.mark.parametrize(("count", "pixels"), [(2, 27.10), (10, 60.61), (20, 85.71)])
def test_the_lobe_of_disks_ends_at_the_first_zero_of_their_form_factor(count, pixels):
    patterns = disk_intensities(count, 12, np.random.default_rng(count))
    profile = azimuthal_mean(patterns, GRID).mean(axis=0)
    assert first_minimum(profile, ring_k(GRID)) / STEP == pytest.approx(pixels, abs=1.0)
    profile[:6] = 0
    assert first_minimum(profile, ring_k(GRID)) / STEP == pytest.approx(pixels, abs=1.0)


def test_the_side_lobes_of_the_forward_peak_of_many_disks_are_no_minimum():
    patterns = disk_intensities(100, 4, np.random.default_rng(0))
    profile = azimuthal_mean(patterns, GRID).mean(axis=0)
    assert np.isnan(
        first_minimum(profile, ring_k(GRID))
    )  # the zero lies at 191 pixels, off the grid


def test_bodies_of_very_different_sizes_have_no_first_zero():
    patterns = disk_intensities(10, 30, np.random.default_rng(5), spread=0.5)
    profile = azimuthal_mean(patterns, GRID).mean(axis=0)
    assert np.isnan(first_minimum(profile, ring_k(GRID)))


def test_a_profile_that_only_falls_has_no_minimum():
    assert np.isnan(first_minimum(np.exp(-np.arange(40.0)), np.arange(40.0)))


def test_the_best_correlation_of_k_and_minus_k_forgives_a_centre_and_not_noise():
    rng = np.random.default_rng(0)
    grid = KGrid.centered(65, 1.0)
    half = rng.exponential(size=(3, 65, 65))
    speckle = half + half[:, ::-1, ::-1]
    moved = np.roll(speckle, (1, -2), axis=(1, 2))
    counted = rng.poisson(np.concatenate([speckle, moved]))
    assert np.abs(best_friedel_correlation(speckle, grid) - 1).max() < 0.02
    assert np.abs(friedel_correlation(moved, grid)).max() < 0.1
    assert best_friedel_correlation(moved, grid).min() > 0.9
    steady, off = np.split(best_friedel_correlation(counted, grid), 2)
    assert 0.2 < off.min() < steady.max() < 0.8
    assert np.abs(steady - off).max() < 0.05
    # About k = 0 itself it is what is written out for that centre alone.
    assert best_friedel_correlation(counted, grid, reach=0) == pytest.approx(
        friedel_correlation(counted, grid), abs=1e-12
    )
    assert np.isnan(best_friedel_correlation(speckle, KGrid.quadrant(65, 1.0))).all()


@pytest.mark.parametrize(
    "correlation", [friedel_correlation, functools.partial(best_friedel_correlation, reach=0)]
)
def test_only_pairs_in_the_region_are_correlated_and_too_few_say_nothing(correlation):
    rng = np.random.default_rng(1)
    grid = KGrid.centered(65, 1.0)
    half = rng.exponential(size=(65, 65))
    speckle = half + half[::-1, ::-1]
    spoilt, region = speckle.copy(), np.ones((3, 65, 65), dtype=bool)
    spoilt[:25] = rng.exponential(size=(25, 65))
    region[0, :25] = False
    region[1] = np.abs(grid.indices) < 2
    found = correlation([spoilt, speckle, spoilt], grid, region=region)
    assert found[0] == pytest.approx(1.0)
    assert np.isnan(found[1])
    assert found[2] < 0.5

"""Profiles and contrast ring by ring, held against SciPy's means over labelled pixels."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from speckle_core import KGrid, Pipeline
from speckle_core.analysis.ring_profiles import mirror_difference, ring_contrast, ring_profiles

GRID = KGrid.centered(65, np.pi / 1000)
RING = np.rint(np.hypot(GRID.indices[:, None], GRID.indices)).astype(int)


def means_of(image: np.ndarray, rings: np.ndarray, number: int) -> np.ndarray:
    """Return the mean over each ring by SciPy; NaN where it has no pixel."""
    with np.errstate(invalid="ignore"):
        return np.asarray(ndimage.mean(image, rings, np.arange(number)))


def spoilt() -> tuple[np.ndarray, np.ndarray]:
    """Return three patterns that are not their own mirror images, and what was measured."""
    rng = np.random.default_rng(4)
    patterns = rng.exponential(size=(3, *GRID.shape)) - 1.0
    measured = rng.random(patterns.shape) > 0.3
    measured[1] = True
    measured[2, :30] = False
    return patterns, measured


def test_the_profile_is_of_valid_pixels_above_the_least_over_its_mean() -> None:
    patterns, valid = spoilt()
    found = ring_profiles(patterns, GRID, 25, valid)
    assert found.shape == (3, 26)
    for pattern, known, row in zip(patterns, valid, found, strict=True):
        light = pattern - pattern.min()
        means = means_of(light, np.where(known, RING, -1), 25)
        # A ring without a valid pixel has the mean of its estimates.
        means = np.where(np.isnan(means), means_of(light, RING, 25), means)
        np.testing.assert_allclose(row, [*(means / means.mean()), np.log(means.mean())])
    np.testing.assert_allclose(
        ring_profiles(5 * patterns + 3, GRID, 25, valid)[:, :25], found[:, :25]
    )
    np.testing.assert_array_equal(
        ring_profiles(patterns, GRID, valid=np.ones_like(valid)), ring_profiles(patterns, GRID)
    )


def test_the_contrast_of_a_ring_is_of_pairs_that_were_both_measured() -> None:
    patterns, measured = spoilt()
    found = ring_contrast(patterns, GRID, 30, measured)
    assert found.shape == (3, 30)
    for pattern, known, row in zip(patterns, measured, found, strict=True):
        light = pattern - pattern.min()
        pairs = known & np.flip(known)
        rings = np.where(pairs, RING, -1)
        square = means_of(light * np.flip(light), rings, 30)
        expected = square / means_of(light, rings, 30) ** 2 - 1
        few = ndimage.sum(pairs, RING, np.arange(30)) < 16
        assert few.any()
        np.testing.assert_allclose(row, np.where(few, np.nan, expected))
    assert np.isnan(ring_contrast(patterns, KGrid.quadrant(65, 1.0))).all()
    assert np.isnan(ring_contrast(np.zeros((1, 65, 65)), GRID)).all()


def test_the_contrast_of_rings_is_one_less_one_over_n_with_or_without_photon_noise() -> None:
    wide_grid = KGrid.centered(129, np.pi / 1000)
    made = Pipeline(sampler="monodisperse", scatterer="analytic", grid=wide_grid)
    raw = made.pattern_set([4], 30, seed=1).raw(np.arange(30)).astype(np.float64)
    counts = np.random.default_rng(0).poisson(raw / raw.mean(axis=(1, 2), keepdims=True) * 30)
    found, noisy = (
        np.nanmedian(ring_contrast(patterns, wide_grid)[:, 15:45])
        for patterns in (raw, counts.astype(np.float64))
    )
    # Rings are a pixel wide, and the form factor varies within them.
    assert found == pytest.approx(1 - 1 / 4, abs=0.07)
    assert noisy == pytest.approx(found, abs=0.02)


def test_light_that_differs_between_k_and_minus_k_is_its_share() -> None:
    y, x = GRID.indices[:, None], GRID.indices
    lobe = np.exp(-(y**2 + x**2) / 200.0)
    aside = np.exp(-((y - 20) ** 2 + x**2) / 50.0)
    patterns = np.array([lobe, aside, lobe + np.roll(lobe, 1, axis=0)])
    found = mirror_difference(patterns, GRID)
    assert found[:2] == pytest.approx([0, 1], abs=1e-3)
    assert 0.01 < found[2] < 0.2
    hidden = np.ones(patterns.shape, dtype=bool)
    hidden[:, 40:46, 10:50] = False
    spoilt = np.where(hidden, patterns, 9.0)
    assert mirror_difference(spoilt, GRID, hidden) == pytest.approx(found, abs=0.08)
    assert np.isnan(mirror_difference(patterns, KGrid.quadrant(65, 1.0))).all()


def test_what_was_measured_alone_says_how_much_differs() -> None:
    y = GRID.indices[:, None]
    even = np.broadcast_to(np.exp(-(y**2) / 800.0), GRID.shape)
    patterns = np.stack([even, np.where(y > 12, 0.0, even)])
    measured = np.ones(patterns.shape, dtype=bool)
    # Hidden on one side, so that neither k nor -k counts.
    measured[:, 45:] = False
    hidden = np.where(measured, patterns, 50.0)
    assert mirror_difference(hidden, GRID, measured)[0] == pytest.approx(0, abs=0.01)
    assert mirror_difference(patterns, GRID)[1] > 0.1
    assert mirror_difference(hidden, GRID, measured)[1] < 0.02
    few = np.zeros(patterns.shape, dtype=bool)
    few[:, 30:36] = True
    assert np.isnan(mirror_difference(patterns, GRID, few)).all()

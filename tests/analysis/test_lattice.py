from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from speckle_core.analysis.lattice import lattice_of, lattice_share

RNG = np.random.default_rng(3)


def bumps(period: int, height: float, size: int = 129) -> np.ndarray:
    """Noise of a tenth about 1, under a broad hill, and a cosine along both axes."""
    y, x = np.mgrid[:size, :size]
    wave = np.cos(2 * np.pi * x / period) + np.cos(2 * np.pi * y / period)
    hill = np.exp(-((x - 64) ** 2 + (y - 64) ** 2) / 2 / 40**2)
    return (0.2 + hill) * (1 + 0.1 * RNG.normal(size=(size, size)) + height * wave)


def test_a_lattice_has_the_share_of_power_that_was_put_in() -> None:
    # Each wave of height h has a power of h²/2; the noise 0.01.
    for height in (0.05, 0.1):
        share, even = lattice_share(bumps(16, height), 16)
        expected = height**2 / (height**2 + 0.01)
        assert share == pytest.approx(expected, abs=0.06)
        assert even == pytest.approx(255 / (128**2 - 1))


def test_the_share_is_the_variance_between_the_pixels_of_a_cell() -> None:
    """By Parseval: power at multiples of 1 / period is what stays when the cells are averaged."""
    values = bumps(16, 0.05)
    for period in (4, 16):
        smooth = ndimage.uniform_filter(values, period, mode="reflect")
        fine = (values / smooth - 1)[:128, :128]
        cells = fine.reshape(128 // period, period, 128 // period, period)
        share = cells.mean(axis=(0, 2)).var() / fine.var()
        assert lattice_share(values, period)[0] == pytest.approx(share, rel=1e-9)


def test_noise_alone_has_the_share_of_an_even_map() -> None:
    share, even = lattice_share(bumps(16, 0.0), 16)
    assert share == pytest.approx(even, rel=0.5)


@pytest.mark.parametrize("period", [4, 8, 16])
def test_the_period_that_stands_out_is_the_lattices_own(period: int) -> None:
    found = lattice_of(bumps(period, 0.1), bumps(period, 0.0))
    assert found.strongest is not None
    assert found.period[found.strongest] == period
    assert found.share[found.strongest] > 5 * found.control[found.strongest]


def test_a_map_too_small_or_flat_has_no_lattice() -> None:
    assert np.isnan(lattice_share(np.ones((20, 20)), 16)).all()
    assert np.isnan(lattice_share(np.ones((64, 64)), 16)).all()
    assert lattice_of(np.zeros((3, 3))).strongest is None


def test_the_windows_of_a_map_are_no_lattice_of_a_network() -> None:
    """Nor are those of windows that do not fit, within a region; single pixels are."""
    coarse = RNG.uniform(0.5, 2, size=(16, 16)).repeat(8, axis=0).repeat(8, axis=1)
    uneven = np.repeat(coarse, 2, axis=1)[:, 3:131]
    uneven[:20] = 0
    for windows in (coarse, uneven):
        assert lattice_of(windows, windows).strongest is None
    assert lattice_of(np.pad(bumps(8, 0.2), 40), None).strongest is not None

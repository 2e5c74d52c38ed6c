"""`nufft` against the defining sum, and against `analytic` where it is that."""

from __future__ import annotations

import numpy as np
import pytest

from speckle_core import Configuration, KGrid
from speckle_disks.disks import Disks
from speckle_scatter.analytic import Analytic

pytest.importorskip("finufft")

from speckle_scatter.nufft import CROSSOVER, Nufft

CENTERED, QUADRANT = KGrid.centered(65, np.pi / 500), KGrid.quadrant(40, np.pi / 500)


def _disks(count: int, seed: int = 0, *, contrast: complex = 1.0) -> Disks:
    rng = np.random.default_rng(seed)
    radii = np.where(np.arange(count) % 2, 4.0, 6.0)
    return Disks(rng.random((count, 2)) * 2000, radii, np.full(count, contrast))


def _plain(disks: Disks, grid: KGrid) -> np.ndarray:
    """Return the defining sum, an exponential for every body and pixel."""
    kx, ky = np.meshgrid(grid.axis, grid.axis)
    total = np.zeros(grid.shape, dtype=complex)
    for i, (x, y) in enumerate(disks.centers):
        factor = disks.radial_form_factor(i, np.hypot(kx, ky)) * disks.contrast[i]
        total += factor * np.exp(-1j * (kx * x + ky * y))
    return total


def _error(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


@pytest.mark.parametrize("grid", [CENTERED, QUADRANT], ids=["centered", "quadrant"])
def test_many_bodies_are_the_defining_sum_at_the_rim_too(grid: KGrid) -> None:
    disks = _disks(2 * CROSSOVER, contrast=0.7 + 0.4j)
    found, expected = Nufft().amplitude(Configuration(disks, 2000.0), grid), _plain(disks, grid)
    assert _error(found, expected) < 2e-7
    rim = grid.magnitude() > 0.95 * grid.k_max
    assert _error(found[rim], expected[rim]) < 1e-6


def test_intensities_are_those_of_a_real_contrast_and_mix_with_few() -> None:
    grid = CENTERED
    many, few = _disks(2 * CROSSOVER), _disks(5, seed=1)
    systems = [Configuration((many, few), 2000.0), Configuration(few, 2000.0)]
    found = Nufft().intensities(systems, grid)
    expected = np.abs(_plain(many, grid) + _plain(few, grid)) ** 2
    assert _error(found[0], expected) < 1e-6
    np.testing.assert_array_equal(found[1], Analytic().intensities(systems[1:], grid)[0])


@pytest.mark.parametrize("count", [3, CROSSOVER - 1])
def test_few_bodies_have_the_bits_of_analytic(count: int) -> None:
    systems = [Configuration(_disks(count), 2000.0)]
    found = Nufft().intensities(systems, CENTERED)
    np.testing.assert_array_equal(found, Analytic().intensities(systems, CENTERED))

"""Spheres of density 1, seen along the beam: what scatters is their projected thickness."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core import FloatArray
from speckle_disks.round_bodies import RoundBodies, RoundShape

# Below this the difference of sine and cosine loses 9 digits; three terms of the series keep 15.
_SMALL = 0.03


def profile(x: FloatArray) -> NDArray[np.float64]:
    """Return 4π (sin x - x cos x) / x³ at x = kR, which is 4π/3 at 0 (Rayleigh 1911)."""
    x = np.asarray(x, dtype=np.float64)
    small = np.abs(x) < _SMALL
    safe = np.where(small, 1.0, x)
    series = 1 / 3 - x**2 / 30 + x**4 / 840
    closed = (np.sin(safe) - safe * np.cos(safe)) / safe**3
    return np.asarray(4 * np.pi * np.where(small, series, closed))


@attrs.frozen
class SphereShape(RoundShape):
    """Spheres as a solver refines them: F = 4πR³ (sin x - x cos x)/x³, ∂F/∂R = 4πR² sin(x)/x."""

    def profile(self, x: FloatArray) -> FloatArray:
        """Return ``F / R³`` at x = kR."""
        return profile(x)

    def slope(self, x: FloatArray) -> FloatArray:
        """Return 4π sin(x)/x."""
        return np.asarray(4 * np.pi * np.sinc(np.asarray(x) / np.pi))


@attrs.frozen(eq=False)
class Spheres(RoundBodies):
    """n spheres of any radii; also `SupportsRadialFormFactors` and `SupportsRefinement`.

    Parameters
    ----------
    centers : array, (n, 2)
        Centres as (x, y) [length], seen along the beam.
    radii : array, (n,)
        Radii [length].
    contrast : array, (n,), optional
        Scattering contrast, real or complex; 1 by default.
    """

    def form_factors(self, kx: FloatArray, ky: FloatArray) -> NDArray[np.float64]:
        """Return the form factor of every sphere at (kx, ky), (n, *kx.shape) [volume]."""
        k = np.hypot(kx, ky)
        radii = self.radii.reshape(-1, *(1,) * k.ndim)
        return np.asarray(radii**3 * profile(radii * k))

    def density(self, i: int, x: FloatArray, y: FloatArray) -> NDArray[np.float64]:
        """Return the thickness of sphere `i` at (x, y) [length]."""
        squares = (x - self.centers[i, 0]) ** 2 + (y - self.centers[i, 1]) ** 2
        thickness: NDArray[np.float64] = 2 * np.sqrt(np.maximum(self.radii[i] ** 2 - squares, 0.0))
        return thickness

    def radial_form_factor(self, i: int, k: FloatArray) -> NDArray[np.float64]:
        """Return the form factor of sphere `i` at lengths `k` [1/length] [volume]."""
        radius = float(self.radii[i])
        return np.asarray(radius**3 * profile(radius * k))

    @classmethod
    def refinement(cls) -> SphereShape:
        """Return how a solver refines spheres."""
        return SphereShape(cls, 3)

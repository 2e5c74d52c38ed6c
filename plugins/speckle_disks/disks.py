"""Disks of density 1, with their form factor in closed form."""

from __future__ import annotations

import math

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import j0, j1

from speckle_core import FloatArray, IntArray
from speckle_disks.round_bodies import RoundBodies, RoundShape


def form_factor(radius: ArrayLike, k: ArrayLike) -> NDArray[np.float64]:
    """Return F(k) = 2πR² J1(kR) / (kR), the Fourier transform of a disk about its centre [area].

    Parameters
    ----------
    radius, k : array
        R [length] and the length of k [1/length], of shapes that broadcast. F(0) = πR² exactly.

    Notes
    -----
    An Airy pattern (Born and Wolf, section 8.5.2) with zeros at kR = 3.8317, 7.0156, 10.1735, …
    SciPy's J1 has a relative error of 1e-15 near 0, so the quotient needs no series there.
    """
    x = np.asarray(np.multiply(k, radius), dtype=np.float64)
    with np.errstate(invalid="ignore"):
        quotient = np.asarray(j1(x) / x)
    quotient[x == 0] = 0.5
    quotient *= 2 * np.pi * np.square(radius)
    return quotient


def chords_needed(x: FloatArray) -> NDArray[np.intp]:
    """Return how many chords give a disk's form factor to about 1e-13 of its area at kR = `x`.

    J_4h falls below that beyond its turning point: J_N(x) ≈ (2/x)^⅓ Ai(τ) for N = x + τ (x/2)^⅓
    (Abramowitz and Stegun 9.3.23), and Ai(12.1) is 1e-13; held against `scipy.special.jv` in tests.
    """
    order = x + 12.1 * np.cbrt(x / 2) + 3
    return np.ceil(order / 4).astype(np.intp)


@attrs.frozen
class DiskShape(RoundShape):
    """Disks as a solver refines them: F = 2πR² J1(kR)/(kR) and ∂F/∂R = 2πR J0(kR)."""

    def profile(self, x: FloatArray) -> FloatArray:
        """Return 2π J1(x)/x, which is π at 0."""
        safe = np.where(x == 0, 1.0, x)
        return np.asarray(2 * np.pi * np.where(x == 0, 0.5, j1(safe) / safe))

    def slope(self, x: FloatArray) -> FloatArray:
        """Return 2π J0(x)."""
        return np.asarray(2 * np.pi * j0(x))


@attrs.frozen(eq=False)
class Disks(RoundBodies):
    """n disks of any radii; also `SupportsRadialFormFactors` and `SupportsRefinement`.

    Parameters
    ----------
    centers : array, (n, 2)
        Centres as (x, y) [length].
    radii : array, (n,)
        Radii [length].
    contrast : array, (n,), optional
        Scattering contrast, real or complex; 1 by default.

    Raises
    ------
    DataError
        For arrays of inconsistent shapes, or a radius that is not positive and finite.
    """

    def form_factors(self, kx: FloatArray, ky: FloatArray) -> NDArray[np.float64]:
        """Return the form factor of every disk at (kx, ky) [1/length], (n, *kx.shape) [area]."""
        k = np.hypot(kx, ky)
        return form_factor(self.radii.reshape(-1, *(1,) * k.ndim), k)

    def density(self, i: int, x: FloatArray, y: FloatArray) -> NDArray[np.float64]:
        """Return 1 where (x, y) [length] is within disk `i` or on its rim, else 0."""
        dx, dy = x - self.centers[i, 0], y - self.centers[i, 1]
        inside: NDArray[np.bool_] = dx * dx + dy * dy <= self.radii[i] ** 2
        return inside.astype(np.float64)

    def radial_form_factor(self, i: int, k: FloatArray) -> NDArray[np.float64]:
        """Return the form factor of disk `i` at lengths `k` [1/length], of its shape [area]."""
        return form_factor(float(self.radii[i]), k)

    @classmethod
    def refinement(cls) -> DiskShape:
        """Return how a solver refines disks."""
        return DiskShape(cls, 2)

    def chords(
        self, bodies: IntArray, k_max: float
    ) -> tuple[IntArray, FloatArray, FloatArray, FloatArray]:
        """Return the chords of some disks at equal steps of the angle; see `SupportsChords`.

        With y = R sin θ, ``F = 4R ∫ cos θ cos(ky R sin θ) sin(kx R cos θ) / kx dθ`` from 0 to π/2.
        The integrand is periodic and smooth, so the midpoint rule with h chords is exact up to
        J_4h(kR), which falls faster than any power (Trefethen and Weideman, SIAM Rev. 56, 385).
        """
        radii = self.radii[bodies]
        needed = chords_needed(radii * k_max)
        owner = np.repeat(np.arange(len(radii)), needed)
        place = np.arange(len(owner)) - np.repeat(np.cumsum(needed) - needed, needed)
        angle = (place + 0.5) * (np.pi / 2) / needed[owner]
        half_length, offset = radii[owner] * np.cos(angle), radii[owner] * np.sin(angle)
        return owner, half_length, offset, 2 * np.pi * half_length / needed[owner]

    @property
    def total_area(self) -> float:
        """Σ πR² [area]; with contrast 1 and no overlap, the square root of I(0)."""
        return math.pi * float(np.sum(self.radii**2))

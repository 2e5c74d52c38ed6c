"""Disks: bodies of density 1 within a radius, with their form factor in closed form.

Nothing here places disks or adds up what they scatter.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import j1

from speckle_core import ComplexArray, DataError, FloatArray


def form_factor(radius: ArrayLike, k: ArrayLike) -> NDArray[np.float64]:
    """Return F(k) = 2πR² J1(kR) / (kR), the Fourier transform of a disk about its centre [area].

    Parameters
    ----------
    radius, k : array
        R [length] and the length of k [1/length], of shapes that broadcast. F(0) = πR² exactly.

    Notes
    -----
    An Airy pattern (Born and Wolf, section 8.5.2): zeros lie at kR = 3.8317, 7.0156, 10.1735, …
    SciPy's J1 is good to a relative 1e-15 near 0, so that the quotient needs no series there.
    """
    x = np.asarray(np.multiply(k, radius), dtype=np.float64)
    with np.errstate(invalid="ignore"):
        quotient = np.asarray(j1(x) / x)
    quotient[x == 0] = 0.5
    quotient *= 2 * np.pi * np.square(radius)
    return quotient


def _floats(value: ArrayLike) -> NDArray[np.float64]:
    return np.array(value, dtype=np.float64)


def _numbers(value: ArrayLike) -> ComplexArray | FloatArray:
    if np.iscomplexobj(value):
        return np.array(value, dtype=np.complex128)
    return np.array(value, dtype=np.float64)


@attrs.frozen(eq=False)
class Disks:
    """n disks of any radii; also a `SupportsRadialFormFactors`.

    Parameters
    ----------
    centers : array, (n, 2)
        Centres as (x, y) [length].
    radii : array, (n,)
        Radii [length].
    contrast : array, (n,), optional
        Scattering contrast, real or complex; 1 unless given.

    Raises
    ------
    DataError
        For arrays that do not fit each other, or a radius that is not positive and finite.
    """

    centers: NDArray[np.float64] = attrs.field(converter=_floats)
    radii: NDArray[np.float64] = attrs.field(converter=_floats)
    contrast: ComplexArray | FloatArray = attrs.field(converter=_numbers)

    @contrast.default
    def _unit_contrast(self) -> FloatArray:
        return np.ones(self.radii.shape)

    def __attrs_post_init__(self) -> None:
        n = self.radii.size
        if (self.radii.shape, self.centers.shape, self.contrast.shape) != ((n,), (n, 2), (n,)):
            raise DataError(
                f"radii {self.radii.shape}, centers {self.centers.shape} and contrast "
                f"{self.contrast.shape} are not (n,), (n, 2) and (n,)",
                where="disks",
            )
        if not (np.isfinite(self.radii).all() and (self.radii > 0).all()):
            raise DataError("every radius must be positive and finite", where="disks")

    def __len__(self) -> int:
        """Return the number of disks."""
        return self.radii.size

    @property
    def bounding_radii(self) -> NDArray[np.float64]:
        """The radii themselves, (n,) [length]."""
        return self.radii

    def form_factors(self, kx: FloatArray, ky: FloatArray) -> NDArray[np.float64]:
        """Return the form factor of every disk at (kx, ky) [1/length], (n, *kx.shape) [area]."""
        k = np.hypot(kx, ky)
        return form_factor(self.radii.reshape(-1, *(1,) * k.ndim), k)

    def density(self, i: int, x: FloatArray, y: FloatArray) -> NDArray[np.float64]:
        """Return 1 where (x, y) [length] is within disk `i` or on its rim, else 0."""
        dx, dy = x - self.centers[i, 0], y - self.centers[i, 1]
        inside: NDArray[np.bool_] = dx * dx + dy * dy <= self.radii[i] ** 2
        return inside.astype(np.float64)

    def shape_keys(self) -> Sequence[Hashable]:
        """Return the radii: disks of one radius have one form factor."""
        keys: list[float] = self.radii.tolist()
        return keys

    def radial_form_factor(self, i: int, k: FloatArray) -> NDArray[np.float64]:
        """Return the form factor of disk `i` at lengths `k` [1/length], of its shape [area]."""
        return form_factor(float(self.radii[i]), k)

    @property
    def total_area(self) -> float:
        """Σ πR² [area]; with contrast 1 and no overlap, the square root of I(0)."""
        return math.pi * float(np.sum(self.radii**2))

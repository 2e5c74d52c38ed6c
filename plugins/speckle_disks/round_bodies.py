"""Base classes of disks and spheres: centres, radii, contrasts, and refinement of radii."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from speckle_core import ComplexArray, DataError, FloatArray


def _floats(value: ArrayLike) -> NDArray[np.float64]:
    return np.array(value, dtype=np.float64)


def _numbers(value: ArrayLike) -> ComplexArray | FloatArray:
    if np.iscomplexobj(value):
        return np.array(value, dtype=np.complex128)
    return np.array(value, dtype=np.float64)


@attrs.frozen(eq=False)
class RoundBodies:
    """n round bodies of any radii; subclasses define density and form factor.

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

    centers: NDArray[np.float64] = attrs.field(converter=_floats)
    radii: NDArray[np.float64] = attrs.field(converter=_floats)
    contrast: ComplexArray | FloatArray = attrs.field(converter=_numbers)

    @contrast.default
    def _unit_contrast(self) -> FloatArray:
        return np.ones(self.radii.shape)

    def __attrs_post_init__(self) -> None:
        n, where = self.radii.size, type(self).__name__.lower()
        if (self.radii.shape, self.centers.shape, self.contrast.shape) != ((n,), (n, 2), (n,)):
            raise DataError(
                f"radii {self.radii.shape}, centers {self.centers.shape} and contrast "
                f"{self.contrast.shape} are not (n,), (n, 2) and (n,)",
                where=where,
            )
        if not (np.isfinite(self.radii).all() and (self.radii > 0).all()):
            raise DataError("every radius must be positive and finite", where=where)

    def __len__(self) -> int:
        """Return the number of bodies."""
        return self.radii.size

    @property
    def bounding_radii(self) -> NDArray[np.float64]:
        """The radii themselves, (n,) [length]."""
        return self.radii

    def shape_keys(self) -> Sequence[Hashable]:
        """Return the radii: bodies of equal radius have equal form factors."""
        keys: list[float] = self.radii.tolist()
        return keys


@attrs.frozen
class RoundShape:
    """Bodies of one kind and any radius R as a solver refines them, ``F = R**dimension · p(kR)``.

    Parameters
    ----------
    particles : type
        Made by ``particles(centers, radii)``.
    dimension : int
        2 for flat bodies, 3 for projected ones.
    """

    particles: type[RoundBodies]
    dimension: int
    names: tuple[str, ...] = attrs.field(default=("radii",), init=False)
    bounds: tuple[tuple[float, float], ...] = attrs.field(default=((0.0, np.inf),), init=False)

    def start(self, radius: FloatArray) -> FloatArray:
        """Return the radius itself, (..., 1) [length]."""
        return np.asarray(radius)[..., None]

    def sizes(self, parameters: FloatArray) -> FloatArray:
        """Return the radius (...) [length]."""
        radii: FloatArray = parameters[..., 0]
        return radii

    def form_factors(
        self, parameters: FloatArray, kx: FloatArray, ky: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return F (..., P) and ∂F/∂R (..., 1, P)."""
        x = parameters * np.hypot(kx, ky)
        value = parameters**self.dimension * self.profile(x)
        derivative = parameters ** (self.dimension - 1) * self.slope(x)
        return value, derivative[..., None, :]

    def build(self, centers: FloatArray, parameters: FloatArray) -> RoundBodies:
        """Return the bodies with `centers` (n, 2) [length]."""
        return self.particles(centers, parameters[:, 0])

    def profile(self, x: FloatArray) -> FloatArray:
        """Return ``F / R**dimension`` at x = kR."""
        raise NotImplementedError

    def slope(self, x: FloatArray) -> FloatArray:
        """Return ``∂F/∂R / R**(dimension - 1)`` at x = kR."""
        raise NotImplementedError

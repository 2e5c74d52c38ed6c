"""What a shape must provide for a solver to find and refine its bodies.

`SupportsRefinement` is an optional capability of a `Particles` class. It returns a
`RefinableShape`: the parameters of a body besides its position, the form factor with its
derivatives, and a way to build `Particles`.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from speckle_core.contracts.arrays import FloatArray
from speckle_core.contracts.geometry import Particles


@runtime_checkable
class RefinableShape(Protocol):
    """A shape whose bodies have p = len(names) parameters besides a position, and contrast 1.

    Parameters are arrays (..., p) for one or more bodies; `kx` and `ky` are (P,)
    [1/length]. Bodies are symmetric under inversion, so that form factors are real.
    """

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, (p,), such as ``("radii",)``."""
        ...

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        """Lowest and highest value of each parameter."""
        ...

    def start(self, radius: FloatArray) -> FloatArray:
        """Return parameters (..., p) of round bodies of about this `radius` (...) [length]."""
        ...

    def sizes(self, parameters: FloatArray) -> FloatArray:
        """Return the bounding radius (...) of each body [length]."""
        ...

    def form_factors(
        self, parameters: FloatArray, kx: FloatArray, ky: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return F (..., P) [area] and its derivatives by each parameter (..., p, P), both real."""
        ...

    def build(self, centers: FloatArray, parameters: FloatArray) -> Particles:
        """Return bodies at `centers` (n, 2) [length] with `parameters` (n, p)."""
        ...


@runtime_checkable
class SupportsScaledProfile(RefinableShape, Protocol):
    """Optional capability of a round shape of one radius R: ``F = R**dimension · profile(kR)``.

    A solver can then interpolate form factors in a table while a solution is still rough.
    """

    @property
    def dimension(self) -> int:
        """2 for flat bodies, 3 for projected ones."""
        ...

    def profile(self, x: FloatArray) -> FloatArray:
        """Return ``F / R**dimension`` at x = kR."""
        ...

    def slope(self, x: FloatArray) -> FloatArray:
        """Return ``∂F/∂R / R**(dimension - 1)`` at x = kR."""
        ...


@runtime_checkable
class SupportsRefinement(Protocol):
    """Optional capability of a `Particles` class: a solver can find and refine its bodies."""

    @classmethod
    def refinement(cls) -> RefinableShape:
        """Return the shape's parameters, derivatives and builder."""
        ...

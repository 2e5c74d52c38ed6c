"""The contents of the box: bodies of any shape in real space.

A particle class implements the physics of its shape; everything else works on shapes it knows
nothing about. So no code outside such a class may assume any radius but the bounding one.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Protocol, runtime_checkable

import attrs
import numpy as np

from speckle_core.contracts.arrays import ComplexArray, FloatArray, IntArray


@runtime_checkable
class Particles(Protocol):
    """n bodies of one shape.

    Lengths are in the unit of the box (the paper's unit pixels), k in its inverse. A data set
    stores every array field of an attrs class that follows this protocol under the field's name.
    """

    @property
    def centers(self) -> FloatArray:
        """Centres, (n, 2) as (x, y) [length]; the box runs from 0 to its side."""
        ...

    @property
    def bounding_radii(self) -> FloatArray:
        """Radius of a circle about each centre that encloses the body, (n,) [length]."""
        ...

    @property
    def contrast(self) -> ComplexArray | FloatArray:
        """Scattering contrast of each body, (n,), complex or real; 1 in the paper."""
        ...

    def __len__(self) -> int:
        """Return the number of bodies n."""
        ...

    def form_factors(self, kx: FloatArray, ky: FloatArray) -> ComplexArray | FloatArray:
        """Return the Fourier transform of each body about its own centre, for contrast 1.

        ``F_i(k) = ∫ ρ_i(r) exp(-i k·r) d²r`` with r from the body's centre; `kx` and `ky` have one
        shape [1/length], the result is (n, *kx.shape) [area].
        """
        ...

    def density(self, i: int, x: FloatArray, y: FloatArray) -> FloatArray:
        """Return the projected density of body `i` at (x, y) [length], for contrast 1.

        1 inside and 0 outside a disk; the thickness of a sphere. `x` and `y` are box coordinates.
        """
        ...


@runtime_checkable
class SupportsRadialFormFactors(Protocol):
    """Optional capability of round bodies: form factors that depend on |k| alone.

    A scatterer then evaluates one form factor per distinct |k| and key instead of one per pixel
    and body. `Particles.form_factors` must return the same values.
    """

    def shape_keys(self) -> Sequence[Hashable]:
        """Return one key per body, (n,).

        Bodies of one class with equal keys have equal form factors in every configuration, so a
        scatterer may cache the result for a key.
        """
        ...

    def radial_form_factor(self, i: int, k: FloatArray) -> FloatArray:
        """Return F of body `i` at lengths `k` [1/length], real, of the shape of `k` [area]."""
        ...


@runtime_checkable
class SupportsChords(Protocol):
    """Optional capability of bodies that are sums of chords along x, such as disks.

    A scatterer can then sum bodies that all differ in one matrix product, without a form factor
    for each. `Particles.form_factors` must return the same values.
    """

    def chords(
        self, bodies: IntArray, k_max: float
    ) -> tuple[IntArray, FloatArray, FloatArray, FloatArray]:
        """Return the chords that give the form factors of `bodies` wherever |k| ≤ `k_max`.

        ``F(kx, ky) = Σ weight · sin(kx · half_length) / kx · cos(ky · offset)`` over the chords of
        a body, to rounding: chords at ±offset are one.

        Parameters
        ----------
        bodies : array of int, (b,)
            Which bodies.
        k_max : float
            Largest k needed [1/length].

        Returns
        -------
        owner : array of int, (p,)
            Index in `bodies` of the body that each chord belongs to, ascending.
        half_length, offset : array, (p,)
            Half of the chord's length and its distance from the centre along y [length].
        weight : array, (p,)
            Weight of the chord [length].
        """
        ...


def _as_tuple(value: Any) -> tuple[Particles, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


@attrs.frozen(eq=False)
class Configuration:
    """One arrangement of bodies in a square box.

    Parameters
    ----------
    particles : Particles or tuple of Particles
        One entry per shape; a single one may be given without a tuple.
    box : float
        Side of the box [length]; coordinates run from 0 to `box`.
    """

    particles: tuple[Particles, ...] = attrs.field(converter=_as_tuple)
    box: float = attrs.field(converter=float)

    def __len__(self) -> int:
        """Return the number of bodies, over all shapes."""
        return sum(len(p) for p in self.particles)

    def forward_amplitude(self) -> complex:
        """Return A(0), the sum of contrast times F(0) over all bodies [area]."""
        zero = np.zeros(1)
        return complex(
            sum(np.sum(p.contrast * p.form_factors(zero, zero)[:, 0]) for p in self.particles)
        )

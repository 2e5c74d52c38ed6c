"""`gaussian-schell`: the sum over bodies in a finite, partially coherent beam.

The field at two places r, s is correlated as W(r, s) = sqrt(S(r) S(s)) μ(r - s), with Gaussians S
and μ. W at the bodies is an n × n matrix, whose eigenvectors are all the modes that they can see:
none is left out.
"""

from __future__ import annotations

import math
from typing import Any, cast

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core import Configuration, FloatArray, KGrid, OptionError, Scatterer
from speckle_scatter.analytic import Analytic

#: Share of the brightest mode below which a mode is rounding error.
_EMPTY = 1e-12


def _positive(_: object, option: attrs.Attribute[Any], value: float | None) -> None:
    if value is not None and not (math.isfinite(value) and value > 0):
        raise OptionError(f"must be positive and finite, not {value}", where=option.name)


@attrs.frozen(kw_only=True)
class GaussianSchell(Scatterer):
    """The exact sum over bodies in a Gaussian Schell-model beam about the middle of the box.

    Each body is lit as its centre is, so beam and coherence length must be larger than a body.
    Intensities are relative to those of a uniform, coherent beam as bright as the middle of this.

    Parameters
    ----------
    beam : float, optional
        Standard deviation of the beam's intensity along each axis [length]; None: uniform.
    coherence : float, optional
        Standard deviation of the degree of coherence over the distance of two places along each
        axis, the transverse coherence length [length]; None: fully coherent.

    Raises
    ------
    OptionError
        For a length that is not positive and finite.

    Notes
    -----
    With beam size σ and coherence length ξ, S(r) = exp(-r²/2σ²) and μ(d) = exp(-d²/2ξ²); the
    global degree of coherence is ζ² with ζ = (ξ/σ)/sqrt(4 + (ξ/σ)²) along each axis (Vartanyants
    and Singer, New J. Phys. 12, 035004, 2010). Speckle of many bodies that fill the beam has the
    contrast ζ², as that of 1/ζ² equal modes.
    """

    beam: float | None = attrs.field(default=500.0, validator=_positive)
    coherence: float | None = attrs.field(default=None, validator=_positive)
    _uniform: Analytic = attrs.field(init=False, factory=Analytic, repr=False, eq=False)

    def illumination(self, positions: FloatArray, box: float) -> NDArray[np.float64]:
        """Return the field of each mode at positions (n, 2), (modes, n), the brightest first."""
        places = np.asarray(positions, dtype=np.float64)
        field = np.ones(len(places))
        if self.beam is not None:
            away = ((places - box / 2) ** 2).sum(axis=1)
            field = np.exp(-away / (4 * self.beam**2))
        if self.coherence is None:
            return field[None]
        apart = ((places[:, None] - places) ** 2).sum(axis=2)
        mutual = np.exp(-apart / (2 * self.coherence**2)) * field[:, None] * field
        powers, modes = np.linalg.eigh(mutual)
        seen = powers > _EMPTY * max(powers[-1], np.finfo(float).tiny)
        found = (np.sqrt(powers[seen]) * modes[:, seen]).T[::-1]
        # An eigenvector's sign is arbitrary.
        signs = np.where(found.sum(axis=1, keepdims=True) < 0, -1.0, 1.0)
        return np.asarray(found * signs)

    def amplitudes(self, configuration: Configuration, grid: KGrid) -> NDArray[np.complex128]:
        """Return the amplitude of each mode, complex (modes, ny, nx) [area]."""
        bodies = configuration.particles
        light = self.illumination(np.concatenate([p.centers for p in bodies]), configuration.box)
        parts = np.split(light, np.cumsum([len(p) for p in bodies])[:-1], axis=1)
        return np.array(
            [
                self._uniform.amplitude(
                    attrs.evolve(
                        configuration,
                        particles=tuple(
                            attrs.evolve(cast(Any, p), contrast=p.contrast * field)
                            for p, field in zip(bodies, fields, strict=True)
                        ),
                    ),
                    grid,
                )
                for fields in zip(*parts, strict=True)
            ]
        )

    def amplitude(self, configuration: Configuration, grid: KGrid) -> NDArray[np.complex128]:
        """Return the amplitude of the brightest mode, complex (ny, nx) [area]."""
        found: NDArray[np.complex128] = self.amplitudes(configuration, grid)[0]
        return found

    def intensity(self, configuration: Configuration, grid: KGrid) -> NDArray[np.float64]:
        """Return the sum of the modes' intensities, (ny, nx) [area²]."""
        modes = self.amplitudes(configuration, grid)
        return np.asarray((modes.real**2 + modes.imag**2).sum(axis=0))

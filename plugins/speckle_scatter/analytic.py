"""`analytic`: the exact kinematic sum of form factors, phases and contrasts.

It works for any shape. Round shapes (`SupportsRadialFormFactors`) are summed faster, with the same
result.
"""

from __future__ import annotations

import functools
import typing
import warnings
from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core import (
    Configuration,
    KGrid,
    Particles,
    Scatterer,
    SlowWarning,
)
from speckle_scatter import fold, radial

# Size of a block of rows, so that memory does not grow with the number of bodies.
_BLOCK = 1 << 20
# Bodies of one size from which on another scatterer takes a quarter of the time and less.
_SLOW = 1000


@attrs.frozen(kw_only=True)
class Analytic(Scatterer):
    """The sum ``A(k) = Σ c_j F_j(k) exp(-i k·r_j)``, exact to rounding, on either layout of grid.

    Far field, first Born approximation; bodies are not cut off at the walls of the box.
    """

    _profiles: radial.Profiles = attrs.field(
        init=False, factory=radial.Profiles, repr=False, eq=False
    )

    def amplitude(self, configuration: Configuration, grid: KGrid) -> NDArray[np.complex128]:
        """Return A(k), complex (ny, nx) [area]."""
        round_ones, others = _by_shape(configuration)
        total = np.empty(grid.shape, dtype=np.complex128)
        for block, sums in radial.Sums(round_ones, grid, self._profiles).of(round_ones):
            fold.amplitude(sums, block, grid, total)
        for particles in others:
            _add(particles, grid, total)
        return total

    def intensities(
        self, configurations: Sequence[Configuration], grid: KGrid
    ) -> NDArray[np.float32]:
        """Return |A|² of every configuration, float32 (B, ny, nx) [area²]."""
        out = np.empty((len(configurations), *grid.shape), dtype=np.float32)
        shapes = [_by_shape(configuration) for configuration in configurations]
        every = [particles for round_ones, _ in shapes for particles in round_ones]
        if any(len(p) >= _SLOW * len(set(p.shape_keys())) for p in every if len(p) >= _SLOW):
            tell_slow()
        summed = radial.Sums(every, grid, self._profiles)
        for configuration, (round_ones, others), pattern in zip(
            configurations, shapes, out, strict=True
        ):
            if others or not all(fold.is_real(p.contrast) for p in round_ones):
                pattern[...] = self.intensity(configuration, grid)
                continue
            for block, sums in summed.of(round_ones):
                fold.intensity(sums, block, grid, pattern)
        return out


@functools.cache
def tell_slow() -> None:
    """Warn, once in a process, that another scatterer is faster."""
    text = (
        "the scatterer 'nufft' computes a thousand bodies of one size and more several times "
        "faster than 'analytic', to 1e-7; it needs pip install 'speckle-core[nufft]'"
    )
    warnings.warn(text, SlowWarning, stacklevel=3)


def _by_shape(
    configuration: Configuration,
) -> tuple[list[radial.RoundParticles], list[Particles]]:
    """Return the round species and the others."""
    round_ones: list[radial.RoundParticles] = []
    others: list[Particles] = []
    for particles in configuration.particles:
        if radial.is_round(type(particles)):
            round_ones.append(typing.cast(radial.RoundParticles, particles))
        else:
            others.append(particles)
    return round_ones, others


def _add(particles: Particles, grid: KGrid, total: NDArray[np.complex128]) -> None:
    """Add the amplitude of bodies of any shape to `total` (ny, nx), a block of rows at a time."""
    kx = grid.axis
    phase_x = np.exp(-1j * np.multiply.outer(particles.centers[:, 0], kx))
    # Densities are real, so a real contrast gives A(-k) = A(k)*, and half of the rows suffice.
    halved = grid.layout == "centered" and fold.is_real(particles.contrast)
    first = grid.origin if halved else 0
    amplitude = np.empty((grid.size - first, grid.size), dtype=np.complex128)
    rows = max(1, _BLOCK // (len(particles) * grid.size))
    for top in range(0, len(amplitude), rows):
        ky = grid.axis[first + top : first + top + rows]
        phase_y = np.exp(-1j * np.multiply.outer(particles.centers[:, 1], ky))
        terms = particles.form_factors(*np.broadcast_arrays(kx, ky[:, None])) * phase_x[:, None, :]
        amplitude[top : top + rows] = np.einsum(
            "jyx,jy->yx", terms, phase_y * particles.contrast[:, None]
        )
    total[first:] += amplitude
    if halved:
        total[:first] += amplitude[:0:-1, ::-1].conj()

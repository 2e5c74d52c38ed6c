"""`nufft`: the sum of `analytic`, with a non-uniform FFT where there are many bodies of one shape.

They share a form factor, and the sum of their waves is a non-uniform Fourier transform of type 1,
whose time hardly depends on how many they are.
"""

from __future__ import annotations

import functools
import typing
from collections.abc import Hashable, Sequence

import attrs
import finufft
import numpy as np
from numpy.typing import NDArray

from speckle_core import Configuration, KGrid, Particles, Scatterer
from speckle_scatter import fold, radial
from speckle_scatter.analytic import Analytic

#: Bodies of one shape from which on the transform is faster, at 257 × 257 pixels.
CROSSOVER = 300
#: Relative error of the transform; patterns are stored in single precision.
_TOLERANCE = 1e-7

Bodies = slice | list[int]


@attrs.frozen(kw_only=True)
class Nufft(Scatterer):
    """The sum ``A(k) = Σ c_j F_j(k) exp(-i k·r_j)``, to 1e-7 where it is a non-uniform FFT.

    That is where a species has, on average, 300 round bodies or more of each size. All others are
    summed by `analytic`, to the same bits.

    Notes
    -----
    FINUFFT (Barnett, Magland and af Klinteberg, SIAM J. Sci. Comput. 41, C479, 2019), one thread.
    """

    _exact: Analytic = attrs.field(init=False, factory=Analytic, repr=False, eq=False)
    _profiles: radial.Profiles = attrs.field(
        init=False, factory=radial.Profiles, repr=False, eq=False
    )

    def amplitude(self, configuration: Configuration, grid: KGrid) -> NDArray[np.complex128]:
        """Return A(k), complex (ny, nx) [area]."""
        few: list[Particles] = []
        found: list[NDArray[np.complex128]] = []
        for particles in configuration.particles:
            groups = _groups(particles)
            if not groups:
                few.append(particles)
            for key, bodies in groups.items():
                waves = _waves(particles, bodies, grid)
                self._weigh(waves, particles, key, bodies, grid)
                found.append(waves)
        if few:
            rest = attrs.evolve(configuration, particles=tuple(few))
            found.append(self._exact.amplitude(rest, grid))
        return functools.reduce(np.add, found)

    def intensities(
        self, configurations: Sequence[Configuration], grid: KGrid
    ) -> NDArray[np.float32]:
        """Return |A|² of every configuration, float32 (B, ny, nx) [area²]."""
        few = [c for c in configurations if max(map(len, c.particles)) < CROSSOVER]
        if len(few) == len(configurations):
            return self._exact.intensities(configurations, grid)
        of_few = iter(self._exact.intensities(few, grid))
        out = np.empty((len(configurations), *grid.shape), dtype=np.float32)
        squares = fold.SCRATCH.array("squares of waves", (2, *grid.shape))
        for configuration, pattern in zip(configurations, out, strict=True):
            if max(map(len, configuration.particles)) < CROSSOVER:
                pattern[...] = next(of_few)
            else:
                found = self.amplitude(configuration, grid)
                np.multiply(found.real, found.real, out=squares[0])
                np.multiply(found.imag, found.imag, out=squares[1])
                np.add(squares[0], squares[1], out=pattern, casting="same_kind")
        return out

    def _weigh(
        self,
        waves: NDArray[np.complex128],
        particles: Particles,
        key: Hashable,
        bodies: Bodies,
        grid: KGrid,
    ) -> None:
        """Multiply `waves` (ny, nx) by F of one shape."""
        kind = typing.cast(radial.RoundParticles, particles)
        first = 0 if isinstance(bodies, slice) else bodies[0]
        quadrant, o = self._profiles.get(kind, first, key, grid), grid.origin
        for rows, above in ((slice(o, None), quadrant), (slice(o), quadrant[o:0:-1])):
            waves[rows, o:] *= above
            waves[rows, :o] *= above[:, o:0:-1]


def _groups(particles: Particles) -> dict[Hashable, Bodies]:
    """Return the bodies of each shape, if the transform is faster for them; else nothing."""
    if len(particles) < CROSSOVER or not radial.is_round(type(particles)):
        return {}
    keys = typing.cast(radial.RoundParticles, particles).shape_keys()
    if keys.count(keys[0]) == len(keys):
        return {keys[0]: slice(None)}
    if len(set(keys)) * CROSSOVER > len(particles):
        return {}
    found: dict[Hashable, list[int]] = {}
    for i, key in enumerate(keys):
        found.setdefault(key, []).append(i)
    return dict(found)


def _waves(particles: Particles, bodies: Bodies, grid: KGrid) -> NDArray[np.complex128]:
    """Return Σ c_j exp(-i k·r_j), complex (ny, nx)."""
    modes = 2 * (grid.size - grid.origin) - 1
    x, y = np.ascontiguousarray(particles.centers[bodies].T * grid.step)
    contrast = np.asarray(particles.contrast[bodies], dtype=np.complex128)
    found = finufft.nufft2d1(y, x, contrast, (modes, modes), eps=_TOLERANCE, isign=-1, nthreads=1)
    first = modes - grid.size
    return np.asarray(found[first:, first:])

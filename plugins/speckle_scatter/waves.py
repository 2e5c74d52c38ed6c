"""cos and sin of k·r of all bodies of a batch, in the order in which the sums need them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from speckle_core import FloatArray, KGrid, Particles
from speckle_scatter import fold
from speckle_scatter.fold import Floats

# Most bodies of several species whose waves are computed together, and of one.
_TOGETHER, _ALONE = 128, 1024

Bodies = Sequence[int] | NDArray[np.intp]


class Waves:
    """cos and sin of k·r of all bodies of some species, computed for a few species at a time.

    One by one, the calls take longer than the arithmetic; all together do not fit in a cache. The
    bits do not depend on how many are computed together.

    Parameters
    ----------
    species : sequence of particles
        In the order in which they will be asked for.
    grid : KGrid
        The grid.
    """

    def __init__(self, species: Sequence[Particles], grid: KGrid) -> None:
        self._grid = grid
        self._known: dict[int, Floats] = {}
        self._groups: dict[int, list[Particles]] = {}
        group: list[Particles] = []
        size = 0
        for particles in species:
            count = len(particles)
            if count > _ALONE:
                continue
            if group and size + count > _TOGETHER:
                group, size = [], 0
            group.append(particles)
            size += count
            self._groups[id(particles)] = group

    def of(self, particles: Particles, bodies: Bodies) -> tuple[Floats, Floats]:
        """Return the waves along y times contrast, (parts, 2, n, m), and along x, (2, n, m)."""
        count, contrast = len(particles), fold.parts(particles.contrast)
        every = len(bodies) == count
        known = self._find(particles)
        if known is None:
            count = len(bodies)
            known = self._compute(particles.centers[bodies].T.ravel())
        x, y = known[:, :count], known[:, count:]
        if not every:
            contrast = contrast[:, bodies]
            if count == len(particles):
                x, y = x[:, bodies], y[:, bodies]
        if (contrast == 1).all():
            return y[None], x
        return contrast[:, None, :, None] * y, x

    def _find(self, particles: Particles) -> Floats | None:
        """Return the waves of one species, (2, 2n, m), first along x and then y; None if many."""
        if id(particles) not in self._known:
            group = self._groups.get(id(particles))
            if group is None:
                return None
            places = [one.centers.T.ravel() for one in group]
            ends = list(itertools.accumulate(map(len, places)))
            together = self._compute(np.concatenate(places))
            self._known = {
                id(one): together[:, end - len(own) : end]
                for one, own, end in zip(group, places, ends, strict=True)
            }
        return self._known[id(particles)]

    def _compute(self, places: FloatArray) -> Floats:
        turned = fold.waves(places, self._grid)
        return np.ascontiguousarray(turned.swapaxes(-1, -2))

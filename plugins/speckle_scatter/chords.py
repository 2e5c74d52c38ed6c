"""Columns of the product that are the chords of bodies, which contain their form factors."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from speckle_core import KGrid, Particles, SupportsChords
from speckle_scatter import fold
from speckle_scatter.fold import Floats
from speckle_scatter.waves import Waves


class ChordedParticles(Particles, SupportsChords, Protocol):
    """Round species that are sums of chords."""


class Chords:
    """Makes the columns of bodies of any species on one grid.

    Parameters
    ----------
    grid : KGrid
        The grid.
    waves : Waves
        Of the bodies.
    """

    def __init__(self, grid: KGrid, waves: Waves) -> None:
        self._grid, self._waves = grid, waves
        self._k_max = float(np.sqrt(2.0) * grid.k_max)
        k = grid.axis[grid.origin :]
        # sin(kx a) / kx, which is a at kx = 0.
        self._over_k = np.divide(1.0, k, out=np.zeros_like(k), where=k > 0)

    def columns(
        self,
        particles: ChordedParticles,
        bodies: NDArray[np.intp],
        widest: int,
        kept_as: Hashable | None,
    ) -> Iterator[tuple[Floats, Floats]]:
        """Iterate over y, (parts, 2, p, m), and x, (2, p, m), at most `widest` columns at a time.

        Parameters
        ----------
        particles, bodies
            Bodies of one species.
        widest : int
            Maximum number of columns.
        kept_as : hashable, optional
            Name under which their memory is used again for the next pattern; None if the next
            columns may overwrite these.
        """
        owner, half_length, offset, weight = particles.chords(bodies, self._k_max)
        for start in range(0, len(owner), widest):
            part = slice(start, start + widest)
            # The owners ascend.
            first, last = owner[part][0], owner[part][-1]
            waves = self._waves.of(particles, bodies[first : last + 1])
            name = None if kept_as is None else (kept_as, start)
            y, x = (
                self._repeat(rows, owner[part] - first, (name, axis))
                for axis, rows in zip("yx", waves, strict=True)
            )
            count = len(half_length[part])
            along = fold.waves(np.concatenate([half_length[part], offset[part]]), self._grid)
            along_x = fold.SCRATCH.array("along x", x.shape[1:])
            np.multiply(along[1, :, :count].T, self._over_k, out=along_x)
            along_x[:, 0] = half_length[part]
            along_x *= weight[part, None]
            y *= along[0, :, count:].T
            x *= along_x
            yield y, x

    def _repeat(self, rows: Floats, whose: NDArray[np.intp], name: Hashable) -> Floats:
        """Return a copy of `rows` (…, n, m) with the row of each chord, (…, p, m)."""
        *many, m = rows.shape
        copy = fold.SCRATCH.array(name, (*many[:-1], len(whose), m))
        for index in np.ndindex(*many[:-1]):
            # Any but the default mode writes to `out` without a buffer.
            rows[index].take(whose, axis=0, out=copy[index], mode="clip")
        return copy

"""Amplitudes in float64 on every known pixel, as exact as the shape's own formula.

Phases are products of one factor a row and one a column; round shapes are evaluated once for each
distinct length of k.
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core import RefinableShape, SupportsScaledProfile
from speckle_solve.halfplane import HalfPlane

Floats = NDArray[np.floating[Any]]
Complexes = NDArray[np.complex128]


@attrs.frozen(eq=False)
class Exact:
    """The known pixels of a half plane, ordered as `Pixels`.

    Parameters
    ----------
    shape : RefinableShape
        The bodies' shape.
    kx, ky : array, (columns,) and (rows,)
        Axes [1/length].
    row, column : array, (P,)
        Where each known pixel lies.
    lengths, ring : array, (L,) and (P,)
        The distinct |k| [1/length], and which of them each pixel has.
    """

    shape: RefinableShape
    kx: Floats
    ky: Floats
    row: NDArray[np.intp]
    column: NDArray[np.intp]
    lengths: Floats
    ring: NDArray[np.intp]

    @classmethod
    def of(cls, half: HalfPlane, shape: RefinableShape) -> Exact:
        """Return the evaluator of `half` for bodies of `shape`."""
        row, column = np.nonzero(half.known)
        ky, kx = half.axes()
        squared = (row - half.reach) ** 2 + column**2
        # Whole numbers below reach², so that a table replaces a sort.
        there = np.zeros(int(squared.max()) + 1, dtype=bool)
        there[squared] = True
        place = np.cumsum(there) - 1
        lengths = np.sqrt(np.flatnonzero(there)) * half.step
        return cls(shape, kx, ky, row, column, lengths, place[squared])

    def phases(self, centers: Floats) -> Complexes:
        """Return exp(-i k·r), (n, P)."""
        along_x = np.exp(-1j * np.outer(centers[:, 0], self.kx))
        along_y = np.exp(-1j * np.outer(centers[:, 1], self.ky))
        out: Complexes = along_x[:, self.column]
        out *= along_y[:, self.row]
        return out

    def form_factors(self, parameters: Floats) -> Floats:
        """Return F, (n, P) [area]."""
        if isinstance(self.shape, SupportsScaledProfile):
            radius = parameters[:, :1]
            value = radius**self.shape.dimension * self.shape.profile(radius * self.lengths)
            out: Floats = value[:, self.ring]
            return out
        return self.shape.form_factors(parameters, self.kx[self.column], self.ky[self.row])[0]

    def amplitude(self, centers: Floats, parameters: Floats) -> Complexes:
        """Return A(k), (P,) [area]."""
        terms = self.phases(centers)
        terms *= self.form_factors(parameters)
        total: Complexes = terms.sum(axis=0)
        return total

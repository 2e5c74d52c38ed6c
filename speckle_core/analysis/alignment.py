"""Two structures laid over one another, as far as a pattern allows.

A pattern determines a structure up to a translation and an inversion through a point. So one is
moved onto the other by the best of both, and each body is paired with its partner.
"""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core.contracts.arrays import FloatArray, IntArray
from speckle_core.contracts.geometry import Configuration

# Translations tried: pairs of bodies that they would bring together.
_PAIRS = 900
_ROUNDS = 3


@attrs.frozen(eq=False)
class Alignment:
    """How a structure was moved onto another, and what then lies where.

    Parameters
    ----------
    sign : int
        -1 where it had to be inverted, else 1: a point r of it comes to ``sign · r + shift``.
    shift : array, (2,)
        The translation (x, y) [length].
    found, true : array of int, (m,)
        Bodies that belong together, as places in the order of ``configuration.particles``; the
        smaller structure has a partner for each of its bodies.
    distances : array, (m,)
        Between the centres of partners [length].
    sizes : array, (m,)
        Bounding radius found less the true one [length].
    radii : array, (m,)
        The true bounding radii [length].
    """

    sign: int
    shift: NDArray[np.float64]
    found: IntArray
    true: IntArray
    distances: NDArray[np.float64]
    sizes: NDArray[np.float64]
    radii: NDArray[np.float64]

    def matched(self, tolerance: float = 1e-3) -> int:
        """Return how many bodies lie, and are as large, as they should to `tolerance` of a radius.

        1e-3 is what "exact" means on these pages.
        """
        worst = np.maximum(self.distances, np.abs(self.sizes))
        return int(np.sum(worst <= tolerance * self.radii))


def align(found: Configuration, true: Configuration) -> Alignment:
    """Return how `found` lies best on `true`, by translation and inversion.

    Every translation that brings one of the largest bodies onto a true one is tried. The best is
    that of the least sum of distances, each with the difference in size and capped at a radius;
    it is refined on the bodies that it brings together.
    """
    ours, sizes = _bodies(found)
    theirs, radii = _bodies(true)
    if not len(ours) or not len(theirs):
        nothing, none = np.zeros(0), np.zeros(0, dtype=np.int64)
        return Alignment(1, np.zeros(2), none, none, nothing, nothing, nothing)
    largest = np.argsort(-sizes)[: max(3, _PAIRS // len(theirs))]
    cap = float(np.median(radii))
    tries = [
        (sign, shift)
        for sign in (1, -1)
        for shift in (theirs[:, None] - sign * ours[None, largest]).reshape(-1, 2)
    ]
    unlike = np.abs(sizes[:, None] - radii[None])
    costs = [_unlikeness(sign * ours + shift, theirs, unlike, cap) for sign, shift in tries]
    sign, shift = tries[int(np.argmin(costs))]
    for _ in range(_ROUNDS):
        rows, columns, distances = _pairs(sign * ours + shift, theirs, unlike, cap)
        close = distances <= cap
        if close.any():
            shift = np.median(theirs[columns[close]] - sign * ours[rows[close]], axis=0)
    rows, columns, distances = _pairs(sign * ours + shift, theirs, unlike, cap)
    return Alignment(
        sign, shift, rows, columns, distances, sizes[rows] - radii[columns], radii[columns]
    )


def _bodies(configuration: Configuration) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return centres (n, 2) and bounding radii (n,) over all shapes."""
    if not configuration.particles:
        return np.zeros((0, 2)), np.zeros(0)
    centers = np.concatenate([np.asarray(p.centers) for p in configuration.particles])
    radii = np.concatenate([np.asarray(p.bounding_radii) for p in configuration.particles])
    return centers.astype(np.float64), radii.astype(np.float64)


def _distances(first: FloatArray, second: FloatArray) -> NDArray[np.float64]:
    gaps = first[:, None] - second[None]
    found: NDArray[np.float64] = np.hypot(gaps[..., 0], gaps[..., 1])
    return found


def _unlikeness(first: FloatArray, second: FloatArray, unlike: FloatArray, cap: float) -> float:
    """Return how far each body of either is from the nearest of the other, summed and capped."""
    costs = np.minimum(np.hypot(_distances(first, second), unlike), cap)
    return float(costs.min(axis=0).sum() + costs.min(axis=1).sum())


def _pairs(
    first: FloatArray, second: FloatArray, unlike: FloatArray, cap: float
) -> tuple[IntArray, IntArray, NDArray[np.float64]]:
    """Return partners, (m,) each, and their distances: Hungarian, far ones all counting alike."""
    from scipy.optimize import linear_sum_assignment  # takes longer to import than its work

    distances = _distances(first, second)
    rows, columns = linear_sum_assignment(np.minimum(np.hypot(distances, unlike), 10 * cap))
    return rows, columns, distances[rows, columns]

"""Structures from Patterson maps by superposition (Buerger, Vector Space, 1959).

A Patterson map shows the structure from every body at once. The minimum of the map and of copies
shifted by the vectors to bodies already found keeps the places that all of them see.
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_specklenet.maps import Map, max3

Floats = NDArray[np.floating[Any]]

#: Distances in radii of the bodies: of a peak from the origin, of two bodies of a chain, and of two
#: bodies of a structure.
ORIGIN, _APART, _CLEAR = 1.2, 0.8, 1.5
#: Most bodies whose views are combined, the least height of one as a share of the third body's.
_VIEWS, _LOWEST = 12, 0.15
#: The third body's least height as a share of the peak: below it there are two.
_THIRD = 0.15
_NOWHERE = np.float32(-1.0)


@attrs.frozen(eq=False)
class Chains:
    """Structures of places that are peaks themselves, one for each of the highest peaks.

    Parameters
    ----------
    first : array, (chains,)
        Heights of the peaks between the first two bodies.
    heights : array, (chains, steps)
        What the worst of the bodies before it sees at a body.
    places : array of int, (chains, steps + 2, 2)
        (y, x) of the bodies [pixels]; the first one is at 0, the second at the peak.
    """

    first: Floats
    heights: Floats
    places: NDArray[np.intp]

    def best(self) -> NDArray[np.intp]:
        """Return the indices of the chains, those with the greatest heights first."""
        total = self.first + np.maximum(self.heights, 0).sum(axis=1)
        return np.argsort(-total, kind="stable")

    def views(self, chain: int) -> NDArray[np.intp]:
        """Return the places of a chain's bodies that are sure, (y, x)."""
        heights = self.heights[chain]
        if heights[0] < _THIRD * self.first[chain]:
            return self.places[chain, :2]
        good = int((heights > _LOWEST * heights[0]).sum())
        return self.places[chain, : min(2 + good, _VIEWS)]


def chains(map_: Map, vectors: NDArray[np.intp], radius: float, count: int, steps: int) -> Chains:
    """Build chains from the first `count` of some peaks, `radius` of a body in pixels.

    Every body from the third on is at the place that all bodies before it see best.
    """
    nodes = np.concatenate([np.zeros((1, 2), dtype=np.intp), vectors, -vectors]).astype(np.int32)
    y = nodes[:, 0, None] - nodes[:, 0]
    x = nodes[:, 1, None] - nodes[:, 1]
    near = (y * y + x * x) < (_APART * radius) ** 2
    middle, side = map_.middle, len(map_.values)
    outside = (np.abs(y) > middle) | (np.abs(x) > middle) | near
    index = (y + middle) * side + (x + middle)
    seen = map_.highest.ravel().take(index, mode="clip")
    seen[outside] = _NOWHERE
    last = np.arange(1, count + 1)
    least = np.repeat(seen[:1], count, axis=0)
    rows = np.arange(count)
    heights = np.empty((count, steps), dtype=np.float32)
    chosen = np.empty((count, steps + 2), dtype=np.intp)
    chosen[:, 0], chosen[:, 1] = 0, last
    for step in range(steps):
        np.minimum(least, seen[last], out=least)
        last = least.argmax(axis=1)
        heights[:, step], chosen[:, step + 2] = least[rows, last], last
    return Chains(seen[0, 1 : count + 1], heights, nodes[chosen].astype(np.intp))


def structure(map_: Map, views: NDArray[np.intp], radius: float, count: int) -> Floats:
    """Return the places that most bodies of a chain see, rows (height, y, x), (count, 3).

    All of the map is searched, not only its peaks. Of many bodies the lowest view may be spoiled by
    the side lobes of a stronger peak, so the second or third lowest counts.
    """
    middle = map_.middle
    low = np.maximum(views.max(axis=0) - middle, -middle)
    high = np.minimum(views.min(axis=0) + middle, middle)
    size = high - low + 1
    level = 0 if len(views) <= 4 else 1 if len(views) <= 8 else 2
    lowest: list[Floats] = []
    for y, x in views.tolist():
        top, left = low[0] - y + middle, low[1] - x + middle
        view = map_.values[top : top + size[0], left : left + size[1]]
        for i, before in enumerate(lowest):
            lowest[i] = np.minimum(before, view)
            if i < level:
                view = np.maximum(before, view)
        if len(lowest) <= level:
            lowest.append(view)
    found = separate(lowest[level], count, _CLEAR * radius)
    found[:, 1:] += low
    return found


def separate(map_: Floats, count: int, distance: float) -> Floats:
    """Return maxima of a map that are the highest within a `distance` [pixels].

    Returns
    -------
    found : array, (count, 3)
        Rows (height, y, x), heights descending; -1 where there are fewer.
    """
    top = map_[1:-1, 1:-1] == max3(map_)[1:-1, 1:-1]
    y, x = np.divmod(np.flatnonzero(top), top.shape[1])
    y, x = y + 1, x + 1
    heights = map_[y, x]
    order = np.argsort(-heights, kind="stable")[: 2 * count]
    y, x, heights = y[order], x[order], heights[order]
    near = (y[:, None] - y) ** 2 + (x[:, None] - x) ** 2 < distance * distance
    first = ~np.tril(near, -1).any(axis=1)
    kept = np.flatnonzero(first)[:count]
    found = np.full((count, 3), (_NOWHERE, 0, 0), dtype=np.float32)
    found[: len(kept)] = np.stack([heights[kept], y[kept], x[kept]], axis=1)
    return found

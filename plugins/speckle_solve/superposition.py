"""Structures from a Patterson map by superposition (Buerger, Vector Space, 1959).

P(r) shows the structure from every body at once. The minimum of P(r) and P(r - u), with u the
vector between two bodies, keeps what both of the two see: the structure and its inverse. Each body
taken from the minimum adds its own view to it; the first decides between structure and inverse.
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_solve.maps import peaks, summit
from speckle_solve.patterson import PattersonMap

Floats = NDArray[np.floating[Any]]

# Third bodies lower than this share of the best one are not tried.
_LOWEST = 0.1


@attrs.frozen(eq=False)
class Guess:
    """Places of bodies read from a map.

    Parameters
    ----------
    places : array, (n, 2)
        (x, y) [length], the first body at 0.
    heights : array, (n,)
        Of the minimum function where each body was found, 1 for the first.
    """

    places: Floats
    heights: Floats

    def faint(self, share: float) -> bool:
        """Say whether any body is lower than this share of the third."""
        return bool(np.any(self.heights[2:] < share * self.heights[2:3]))

    def down_to(self, share: float) -> Guess:
        """Return the bodies before the first that is lower than this share of the third."""
        end = 2 + int(np.argmax(self.heights[2:] < share * self.heights[2]))
        return Guess(self.places[:end], self.heights[:end])


class _Minimum:
    """The minimum function while bodies are added; indices are of the Patterson map."""

    def __init__(self, map_: PattersonMap, box: float, apart: float) -> None:
        self.map = map_
        self.side = min(int(np.floor(box / map_.pixel)), map_.middle)
        self.radius = apart / map_.pixel
        self.bodies: list[tuple[int, int]] = []
        self.low = np.array([0, 0])
        self.values = map_.values
        self.add(0, 0)

    def add(self, y: int, x: int) -> None:
        """Take the body at (y, x), relative to the first one [pixel]."""
        self.bodies.append((y, x))
        middle = self.map.middle
        every = np.array(self.bodies)
        # All bodies lie in one box: what is too far from any of them is left out.
        low = np.maximum(every.max(axis=0) - self.side, -middle)
        high = np.minimum(every.min(axis=0) + self.side, middle)
        start = low + middle if len(self.bodies) == 1 else low - self.low
        extent = high - low + 1
        kept = self.values[start[0] : start[0] + extent[0], start[1] : start[1] + extent[1]]
        top, left = low[0] - y + middle, low[1] - x + middle
        seen = self.map.values[top : top + extent[0], left : left + extent[1]]
        self.values, self.low = np.minimum(kept, seen), low
        for body in self.bodies:
            self._exclude(*(body - low))

    def _exclude(self, y: int, x: int) -> None:
        reach = int(np.ceil(self.radius))
        top, left = max(y - reach, 0), max(x - reach, 0)
        area = self.values[top : y + reach + 1, left : x + reach + 1]
        dy = np.arange(top, top + area.shape[0])[:, None] - y
        dx = np.arange(left, left + area.shape[1]) - x
        area[dy * dy + dx * dx < self.radius**2] = -np.inf

    def copy(self) -> _Minimum:
        other = object.__new__(_Minimum)
        other.__dict__.update(self.__dict__)
        other.bodies, other.values = list(self.bodies), self.values
        return other

    def highest(self) -> tuple[int, int, float]:
        y, x = np.unravel_index(int(np.argmax(self.values)), self.values.shape)
        return int(y + self.low[0]), int(x + self.low[1]), float(self.values[y, x])


def superpose(
    map_: PattersonMap,
    vector: tuple[int, int],
    *,
    box: float,
    apart: float,
    choices: int,
    most: int,
    share: float,
) -> list[Guess]:
    """Return structures that hold the `vector` (dy, dx) [pixel], one for each third body tried.

    Parameters
    ----------
    map_ : PattersonMap
        The map.
    vector : tuple
        Between the first two bodies.
    box : float
        Side of the box that holds all bodies [length].
    apart : float
        Nearest that two bodies can be [length].
    choices : int
        How many third bodies are tried.
    most : int
        Most bodies of a structure.
    share : float
        Bodies are added until one is lower than this share of the third body's height.
    """
    pair = _Minimum(map_, box, apart)
    pair.add(*vector)
    third = peaks(pair.values, choices, max(_LOWEST * float(pair.values.max()), 0.0))
    guesses = []
    for y, x in third:
        height = float(pair.values[y, x])
        minimum = pair.copy()
        heights = [1.0, float(map_.values[vector[0] + map_.middle, vector[1] + map_.middle])]
        at, found = (int(y + pair.low[0]), int(x + pair.low[1])), height
        places = [(0.0, 0.0), _fine(map_.values, vector, map_.middle)]
        while len(minimum.bodies) < most and found > share * height:
            places.append(_summit(minimum, at))
            heights.append(found)
            minimum.add(*at)
            if minimum.values.size == 0:
                break
            *at_, found = minimum.highest()
            at = (at_[0], at_[1])
        yx = np.array(places) * map_.pixel
        guesses.append(Guess(yx[:, ::-1].copy(), np.array(heights)))
    if not guesses:
        yx = np.array([(0.0, 0.0), _fine(map_.values, vector, map_.middle)]) * map_.pixel
        guesses.append(Guess(yx[:, ::-1].copy(), np.ones(2)))
    return guesses


def _fine(values: NDArray[np.float32], at: tuple[int, int], middle: int) -> tuple[float, float]:
    y, x = summit(values, at[0] + middle, at[1] + middle)
    return y - middle, x - middle


def _summit(minimum: _Minimum, at: tuple[int, int]) -> tuple[float, float]:
    y, x = summit(minimum.values, at[0] - int(minimum.low[0]), at[1] - int(minimum.low[1]))
    return y + float(minimum.low[0]), x + float(minimum.low[1])

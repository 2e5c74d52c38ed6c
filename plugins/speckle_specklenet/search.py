"""Where a refinement starts: structures from the peaks of two maps, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_specklenet.leastsquares import Model
from speckle_specklenet.maps import Map, sharp, weighted
from speckle_specklenet.plane import Half
from speckle_specklenet.refinement import EXPLAINED, Grown, Refinement, radii_from, unlike
from speckle_specklenet.superposition import ORIGIN, Chains, chains, structure

Floats = NDArray[np.floating[Any]]

#: Peaks read from each map, chains built from the first of them, bodies added to each, chains of
#: each map that are refined, and those of one map before the other is looked at.
PEAKS, _CHAINS, _STEPS, _STARTS, _TURN = 120, 12, 26, 10, 3
#: The misfit of a good start, most of them, and the price of one more body in the choice.
_GOOD, _GROWN, _PRICE = 2e-2, 4, 2e-4
#: The same of counted patterns: the misfit over that of noise; and chains of each map.
_NOISY, _STARTS_COUNTED = 1.5, 4
#: Bodies to start from: least height as a share of the highest in either map, and most.
_LEAST_WEIGHTED, _LEAST_SHARP, _MOST = 0.12, 0.45, 20
NAMES = ("weighted", "sharp")


@attrs.frozen(eq=False)
class Found:
    """A structure, and what became of it.

    Parameters
    ----------
    heights : array, (bodies,)
        Of its bodies in the map.
    grown : Grown
        The model after all stages.
    """

    heights: Floats
    grown: Grown


class Search:
    """Looks for the structure of one pattern.

    Parameters
    ----------
    half : Half
        The pattern.
    bodies : int
        Most bodies of a structure.

    Attributes
    ----------
    heights : dict
        Heights of the peaks of the maps looked at, by their names, (PEAKS,).
    """

    def __init__(self, half: Half, bodies: int) -> None:
        self.half, self.bodies = half, bodies
        self.heights: dict[str, Floats] = {}

    def look(self, name: str) -> tuple[Map, NDArray[np.intp]]:
        """Read the peaks of a map; return it and their vectors."""
        map_ = (sharp if name == "sharp" else weighted)(self.half)
        clear = ORIGIN * self.half.radius / map_.pixel
        self.heights[name], vectors = map_.peaks(PEAKS, clear)
        return map_, vectors

    def run(self) -> Found:
        """Return the structure that explains the pattern best, the first that explains all of it.

        Good starts are refined at once, and the best of the others if there are none.
        """
        refinement = Refinement(self.half, self.bodies)
        found: list[Found] = []
        best: Model | None = None
        shown: Floats = np.zeros(0)
        price = np.inf
        good, enough = (_NOISY, 0.0) if refinement.counted else (_GOOD, EXPLAINED)
        for model, heights in self._starts(refinement):
            if refinement.misfit(model, 0) < (good if len(found) < _GROWN else enough):
                grown = refinement.grown(model)
                found.append(Found(heights, grown))
                if grown.explained:
                    return found[-1]
            now = model.left + _PRICE * len(model)
            if now < price:
                best, price, shown = model, now, heights
        if not found:
            assert best is not None
            return Found(shown, refinement.grown(best))
        return min(found, key=lambda one: one.grown.misfits[-1])

    def _starts(self, refinement: Refinement) -> Iterator[tuple[Model, Floats]]:
        """Yield models of the first stage and the heights of their structures.

        The first chains of the map that suits the disks come first, then those of the other, then
        all others. Counted patterns are never explained to the last digit, so of them fewer are
        tried.
        """
        most = _STARTS_COUNTED if refinement.counted else _STARTS
        looked: dict[str, tuple[Map, Chains]] = {}
        for turn in (slice(_TURN), slice(_TURN, most)):
            for name in reversed(NAMES) if self.half.alike else NAMES:
                if name not in looked:
                    map_, vectors = self.look(name)
                    radius = self.half.radius / map_.pixel
                    looked[name] = map_, chains(map_, vectors, radius, _CHAINS, _STEPS)
                map_, found = looked[name]
                radius = self.half.radius / map_.pixel
                for chain in found.best()[turn]:
                    rows = structure(map_, found.views(chain), radius, self.bodies)
                    yield refinement.stage(self._start(rows, map_.pixel, name), 0), rows[:, 0]

    def _start(self, rows: Floats, pixel: float, name: str) -> Model:
        """Return the model of a structure, rows (height, y, x) [pixels]."""
        equal = name == "sharp"
        heights = rows[:, 0] / max(float(rows[0, 0]), 1e-6)
        used = heights > (_LEAST_SHARP if equal else _LEAST_WEIGHTED)
        used[:2], used[_MOST:] = True, False
        places = rows[used, 1:] * np.float32(pixel)
        places -= (places.max(axis=0) + places.min(axis=0)) / 2
        ratio = np.ones(used.sum()) if equal else radii_from(np.maximum(heights[used], 0))
        return Model(places, (unlike(ratio) * self.half.radius).astype(np.float32))

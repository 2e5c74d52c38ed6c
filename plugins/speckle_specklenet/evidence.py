"""What is measured of a pattern before the network reads it: numbers without learned weights."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from speckle_specklenet.plane import Half, Plane
from speckle_specklenet.refinement import PEAKS as MISSING
from speckle_specklenet.search import NAMES, PEAKS, Search

Floats = NDArray[np.floating[Any]]

#: Evidence is standardised and cut off at this distance before the layers read it.
FARTHEST = 8.0
#: Heights below this are noise.
_FLOOR = 3e-5
#: Radii, in mean radii, from which bodies are counted.
_COUNTED = (0.0, 0.05, 0.12)


@attrs.frozen
class Evidence:
    """The evidence of patterns, (B, width), each of about unit size.

    Parameters
    ----------
    size : int
        Pixels of a pattern along each axis.
    bodies : int
        Most bodies of a structure.
    peaks, structure : bool
        Which evidence is used beside the azimuthal profile.
    """

    size: int
    bodies: int
    peaks: bool = True
    structure: bool = True

    @property
    def groups(self) -> dict[str, int]:
        """How many numbers there are of each kind, in their order."""
        found = {"profile": self.size // 2 + 2}
        if self.peaks:
            found |= {f"{name} peaks": PEAKS for name in NAMES}
        if self.structure:
            found |= {"structure": self.bodies, "radii": self.bodies, "misfits": 3}
            found |= {"missing": MISSING, "counts": len(_COUNTED) * (self.bodies + 1)}
        return found

    @property
    def width(self) -> int:
        """How many numbers there are."""
        return sum(self.groups.values())

    def __call__(self, patterns: Floats) -> NDArray[np.float32]:
        """Return the evidence of prepared patterns (B, size, size).

        That of a pattern does not depend on the others. Heights of a map that a search had no need
        to look at are 0.

        Raises
        ------
        PatternError
            For a pattern that is too small, not a square with k = 0 in the middle, or constant.
        """
        found = np.empty((len(patterns), self.width), dtype=np.float32)
        # The number of threads changes the last bits of a matrix product.
        with _threads().limit(limits=1):
            for row, pattern in zip(found, patterns, strict=True):
                row[:] = np.concatenate(self._of(np.asarray(pattern, dtype=np.float32)))
        return found

    def _of(self, pattern: Floats) -> list[Floats]:
        half = Half.of(_plane(self.size), pattern)
        logs = np.log(np.maximum(half.profile[1:], 1e-7))
        parts = [logs - logs.mean(), np.array([np.log(half.half_distance), half.alike])]
        search = Search(half, self.bodies)
        structure = self._structure(search) if self.structure else []
        if self.peaks:
            for name in NAMES:
                if not self.structure:
                    search.look(name)
                parts.append(_logs(search.heights.get(name, np.zeros(PEAKS))))
        return parts + structure

    def _structure(self, search: Search) -> list[Floats]:
        found = search.run()
        grown = found.grown
        there = np.sort(grown.model.radii / search.half.radius)[::-1][: self.bodies]
        radii = np.zeros(self.bodies)
        radii[: len(there)] = there
        left = np.log(np.maximum([grown.misfits[0], grown.misfits[-1]], 1e-9))
        counts = [self._counted(radii, least) for least in _COUNTED]
        misfits = np.array([*left, grown.explained])
        return [_logs(found.heights), radii, misfits, _logs(grown.missing), *counts]

    def _counted(self, radii: Floats, least: float) -> Floats:
        """Return how many radii are above `least`, as a soft one-hot vector."""
        if least:
            number = (1 / (1 + np.exp(-np.clip((radii - least) / (0.1 * least), -50, 50)))).sum()
        else:
            number = (radii > 0).sum()
        found: Floats = np.exp(-2 * (number - np.arange(self.bodies + 1)) ** 2)
        return found


@lru_cache(maxsize=4)
def _plane(size: int) -> Plane:
    return Plane.of(size)


@lru_cache(maxsize=1)
def _threads() -> ThreadpoolController:
    return ThreadpoolController()


def _logs(heights: Floats) -> Floats:
    found: Floats = np.log(np.maximum(heights, _FLOOR) / _FLOOR)
    return found

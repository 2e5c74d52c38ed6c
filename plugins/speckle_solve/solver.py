"""`patterson`: every body of a pattern by Patterson superposition, refinement and completion."""

from __future__ import annotations

import math
import time
from typing import Any

import attrs
import numpy as np
from threadpoolctl import threadpool_limits

from speckle_core import KGrid, OptionError, Solution
from speckle_solve.answer import answer
from speckle_solve.checking import prepared
from speckle_solve.scene import Scene
from speckle_solve.search import search
from speckle_solve.shapes import shape_named
from speckle_solve.verdict import Counting, Exactness, Judge, Verdict

# Starts that are still tried once a structure explains all but a small flaw, or with some doubt,
# or comes again.
_MORE = 3
# Structures of as many bodies whose R² differs by less than this share are one structure.
_SAME = 1e-3


def _positive(_: Any, attribute: attrs.Attribute[Any], value: float | None) -> None:
    if value is not None and not (math.isfinite(value) and value > 0):
        raise OptionError(f"must be positive and finite, not {value}", where=attribute.name)


@attrs.frozen(kw_only=True)
class Patterson:
    """Finds position and size of every body behind one coherent pattern.

    Parameters
    ----------
    shape : str
        What the bodies are: ``disks``, ``spheres``, or ``module:Class`` of a shape that offers
        `SupportsRefinement`.
    box : float, optional
        Side of the square that holds all bodies [length]; by default π / step, the largest whose
        structures the grid tells apart.
    most : int
        Most bodies that are looked for.
    starts : int
        Starting structures after which the search gives up.

    Raises
    ------
    OptionError
        For a value out of range or an unknown shape.
    """

    shape: str = "disks"
    box: float | None = attrs.field(default=None, validator=_positive)
    most: int = attrs.field(default=120, validator=_positive)
    starts: int = attrs.field(default=60, validator=_positive)

    def solve(self, pattern: Any, grid: KGrid, *, mask: Any = None, seed: int = 0) -> Solution:
        """Return the bodies behind `pattern` (ny, nx), or the best found so far.

        Raises
        ------
        PatternError
            For a pattern or mask that cannot be one; see `checking.prepared`.
        """
        # The number of threads changes the last bits of a matrix product.
        with threadpool_limits(1):
            return self._solve(pattern, grid, mask, seed)

    def _solve(self, pattern: Any, grid: KGrid, mask: Any, seed: int) -> Solution:
        begun = time.perf_counter()
        half = prepared(pattern, grid, mask)
        box = math.pi / grid.step if self.box is None else self.box
        scene = Scene.of(half, shape_named(self.shape), box, np.random.default_rng(seed))
        judge: Judge = Counting(scene) if half.level.noise == "poisson" else Exactness(scene)
        best: Verdict | None = None
        starts, last = 0, int(self.starts)
        met: list[tuple[int, float]] = []
        for found in search(scene, judge.goal, int(self.most), int(self.starts)):
            starts = found.starts
            if starts > last:
                break
            if best is not None and not found.better:
                continue
            came = len(found.candidate.bodies()[0]), float(found.candidate.misfit[0])
            if any(n == came[0] and abs(r - came[1]) < _SAME * r for n, r in met):
                if came[1] < judge.goal:
                    last = min(last, starts + _MORE)
                continue
            met.append(came)
            verdict = judge.verdict(found.candidate, int(self.most))
            if best is None or verdict.worse < best.worse:
                best = verdict
            if best.explained:
                break
            if best.close:
                last = min(last, starts + _MORE)
        assert best is not None
        return answer(scene, best, starts, time.perf_counter() - begun)

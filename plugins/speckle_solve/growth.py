"""From a starting structure to a whole one: refine, complete, prune, on ever more of k space."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from speckle_solve.completion import chosen, difference, missing, pruned
from speckle_solve.refine import Candidates, refine
from speckle_solve.scene import REACHES, Scene

Floats = NDArray[np.floating[Any]]

_LAST = len(REACHES) - 1
# R² per rung above which a start is given up: wrong structures stay above it.
_HOPELESS = 0.64
# R² below which the next rung is due, and below which nothing is missing on this one.
_PROMISING, _FITTING = 0.05, 1e-3
_ROUNDS = 24
# Bodies added at once, as a share of those there; the least gain of one, as a share of R² and of
# the best one's.
_AT_ONCE, _LEAST, _SHARE = 0.34, 0.02, 0.25
# Of many bodies each has a small share: what one must gain, and a round to count as progress, as
# shares of R² times the number of bodies.
_SHARED, _STEP = 0.2, 0.8


def grow(scene: Scene, start: Candidates, goal: float, most: int) -> Candidates:
    """Return `start` (a single candidate) refined and completed on all of k space.

    Stops early when R² falls below `goal`, or when it hardly falls any more.
    """
    candidate = start
    rung = scene.rungs(len(start.bodies()[0]))[0]
    stalls = 0
    best = None
    for _ in range(_ROUNDS):
        n = len(candidate.bodies()[0])
        pixels = scene.subset(rung, n + 2)
        candidate = refine(
            candidate, scene.shape, scene.table, pixels, iterations=12, tolerance=0.01
        )
        centers, parameters = pruned(scene, candidate, pixels, 0.003)
        if len(centers) < n:
            candidate = refine(
                centred(centers, parameters),
                scene.shape,
                scene.table,
                pixels,
                iterations=4,
                tolerance=0.02,
            )
            centers, parameters = candidate.bodies()
        misfit = float(candidate.misfit[0])
        if rung == _LAST and (
            best is None or misfit < (1 - min(0.1, _STEP / n)) * float(best.misfit[0])
        ):
            best, stalls = candidate, 0
        elif rung == _LAST:
            stalls += 1
        if rung == _LAST and misfit < goal:
            return candidate
        if stalls >= 2:
            break
        if misfit > _HOPELESS:
            break
        candidate = centred(centers, parameters)
        centers, parameters = candidate.bodies()
        if rung < _LAST and misfit < max(goal, _FITTING):
            rung += 1
            continue
        left = difference(scene, centers, parameters, scene.limit(rung))
        found = missing(scene, centers, parameters, left)
        room = min(2 + int(_AT_ONCE * len(centers)), most - len(centers))
        add = chosen(scene, found, min(_LEAST, _SHARED / len(centers)) * misfit, room, _SHARE)
        if len(add) == 0 and rung == _LAST and stalls:
            break
        if rung < _LAST and (len(add) == 0 or misfit < _PROMISING):
            rung += 1
        candidate = centred(
            np.concatenate([centers, found.centers[add]]),
            np.concatenate([parameters, found.parameters[add]]),
        )
    return best if best is not None else candidate


def centred(centers: Floats, parameters: Floats) -> Candidates:
    """Return a single candidate whose extent's middle is at 0."""
    middle = 0.5 * (centers.max(axis=0) + centers.min(axis=0))
    return Candidates.of(centers - middle, parameters)

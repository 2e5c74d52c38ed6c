"""Which starting structures are tried, in what order, and when the search ends.

Starts come in groups: the peaks of one Patterson map in turn, each with several third bodies. A
group is scored as it stands, its best members are refined together on low k, and those are grown
one by one: a right start proves itself, so the first that does ends the search.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_solve.amplitudes import misfits
from speckle_solve.growth import centred, grow
from speckle_solve.patterson import PattersonMap, Weighting, patterson, vectors
from speckle_solve.refine import Candidates, refine
from speckle_solve.scene import Scene
from speckle_solve.superposition import Guess, superpose

Floats = NDArray[np.floating[Any]]

# Bodies all alike are best seen divided by the azimuthal mean; else by a power of k. What follows
# the first is fallen back on.
_ALIKE = 0.1
_SHARP = Weighting(-1.0)
_POWERS = (
    Weighting(2.0, 2.0),
    Weighting(2.0, 1.5),
    Weighting(1.5, 2.5),
    Weighting(3.0, 2.0),
    Weighting(1.0, 2.0),
    Weighting(2.5, 3.0),
)
# Up to this k·R no body has a dark ring: all have one sign, and what limits is resolution.
_NO_RING = 4.5
# Vectors a group takes of a map, groups of a map, third bodies of a vector.
_VECTORS, _GROUPS, _THIRD = 4, 3, 3
# Members of a group that are refined, and of these grown.
_REFINED, _GROWN = 4, 2
# Bodies lie at least this many mean radii apart.
_APART = 1.2
# Superposition ends at bodies lower than this share of the third one; in crowded boxes that is
# right, else a structure down to a higher share has fewer false ones: both are scored.
_FAINTEST, _LOWEST = 0.08, 0.25


@attrs.frozen(eq=False)
class Found:
    """A grown structure, whether it is better than all before, and how many were grown."""

    candidate: Candidates
    better: bool
    starts: int


def weightings(scene: Scene) -> list[Weighting]:
    """Return the ways to sharpen the map, in the order in which they are worth trying."""
    reach = float(scene.distance.max()) * scene.size.radius
    if reach < _NO_RING:
        return [_POWERS[3], _POWERS[0], _SHARP, _POWERS[5], _POWERS[4]]
    if scene.size.spread < _ALIKE:
        return [_SHARP, *_POWERS]
    return [_POWERS[0], _POWERS[1], _SHARP, *_POWERS[2:]]


def search(scene: Scene, goal: float, most: int, starts: int) -> Iterator[Found]:
    """Yield every grown structure.

    Parameters
    ----------
    scene : Scene
        The pattern.
    goal : float
        R² at which growing stops.
    most : int
        Most bodies of a structure.
    starts : int
        Most structures that are grown.
    """
    grown, best = 0, np.inf
    for group in _groups(scene, most):
        for start in _best_of(scene, group):
            candidate = grow(scene, start, goal, most)
            grown += 1
            misfit = float(candidate.misfit[0])
            yield Found(candidate, misfit < best or misfit < goal, grown)
            best = min(best, misfit)
            if grown >= starts:
                return


def _groups(scene: Scene, most: int) -> Iterator[list[Guess]]:
    apart = _APART * scene.size.radius
    noise = 0.0 if scene.half.level.noise != "poisson" else 1.0
    ways = weightings(scene)
    maps: list[tuple[PattersonMap, NDArray[np.intp]]] = []
    guesses = [Guess(np.zeros((1, 2)), np.ones(1))]
    # Along diagonals: the best map's next vectors come before the next map's first.
    for total in range(len(ways) + _GROUPS - 1):
        for way in range(min(total + 1, len(ways))):
            if total - way >= _GROUPS:
                continue
            if way == len(maps):
                map_ = patterson(scene.half, scene.size, ways[way], scene.window, noise)
                maps.append((map_, vectors(map_, apart, _VECTORS * _GROUPS)))
            map_, peaks = maps[way]
            first = (total - way) * _VECTORS
            guesses += _superposed(scene, map_, peaks[first : first + _VECTORS], apart, most)
            yield guesses
            guesses = []


def _superposed(
    scene: Scene, map_: PattersonMap, peaks: NDArray[np.intp], apart: float, most: int
) -> list[Guess]:
    guesses = []
    for y, x in peaks:
        guesses += superpose(
            map_,
            (int(y), int(x)),
            box=scene.box,
            apart=apart,
            choices=_THIRD,
            most=most,
            share=_FAINTEST,
        )
    return guesses + [guess.down_to(_LOWEST) for guess in guesses if guess.faint(_LOWEST)]


def _best_of(scene: Scene, group: list[Guess]) -> Iterator[Candidates]:
    """Yield the best members of a group, refined on the first rung, best first."""
    bodies = max((len(guess.places) for guess in group), default=0)
    if bodies == 0:
        return
    start = scene.shape.start(np.array(scene.size.radius))
    centers = np.zeros((len(group), bodies, 2))
    parameters = np.zeros((len(group), bodies, len(start)))
    for number, guess in enumerate(group):
        centers[number, : len(guess.places)] = guess.places
        parameters[number, : len(guess.places)] = start
    pixels = scene.subset(scene.rungs(bodies)[0], bodies)
    single = np.float32
    misfit, scale = misfits(
        scene.shape, scene.table, centers.astype(single), parameters.astype(single), pixels
    )
    all_ = Candidates(centers, parameters, misfit, scale)
    first = all_.take(np.argsort(misfit, kind="stable")[:_REFINED])
    refined = refine(first, scene.shape, scene.table, pixels, iterations=8, tolerance=0.02)
    seen: list[float] = []
    for number in np.argsort(refined.misfit, kind="stable"):
        misfit_ = float(refined.misfit[number])
        # Two starts that came to the same misfit are the same structure.
        if all(abs(misfit_ - other) > 1e-3 * other for other in seen):
            seen.append(misfit_)
            yield centred(*refined.bodies(int(number)))
        if len(seen) == _GROWN:
            return

"""Random sequential addition: one disk after another, uniformly over the free positions."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from speckle_core import PackingError

#: Coverage at which random sequential addition of equal disks jams (Feder, J. Theor. Biol. 1980).
SATURATION = 0.547
#: Coverage of the densest packing of equal disks, π / √12.
DENSEST = math.pi / math.sqrt(12)
# Failures of one disk before the whole arrangement restarts: an unlucky start can block a box that
# another one fills.
_PATIENCE = 2_000
# Positions tried in total before giving up: less than 0.1 s for tens of disks, 2 s for 5000.
_TRIALS, _TRIALS_PER_DISK = 50_000, 200


def place(
    exclusion: NDArray[np.float64],
    walls: NDArray[np.float64],
    *,
    box: float,
    gap: float,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return centres, (n, 2) [length], at least ``exclusion[i] + exclusion[j] + gap`` apart.

    Parameters
    ----------
    exclusion : array, (n,)
        Radius about each centre that no other exclusion circle may enter [length].
    walls : array, (n,)
        Smallest distance of each centre from the walls [length].
    box : float
        Side of the box [length].
    gap : float
        Smallest distance between two exclusion circles [length].
    rng : Generator
        The only source of random numbers.

    Raises
    ------
    PackingError
        When a disk is larger than the box, or no position was found after a bounded search.
    """
    n = len(exclusion)
    widest = float(walls.max())
    if 2 * widest > box:
        raise PackingError(
            f"a centre cannot be {widest:g} from every wall of a box of side {box:g}",
            where="packing",
            hint="Use smaller disks or a larger box.",
        )
    # Circles grown by half the gap lie in this square without overlap, which bounds their area.
    side = box + gap + 2 * max(0.0, float((exclusion - walls).max()))
    coverage = math.pi * float(np.sum((exclusion + gap / 2) ** 2)) / side**2
    if coverage > DENSEST:
        raise _impossible(n, coverage, f"the densest packing of equal disks covers {DENSEST:.3f}")
    bodies = list(zip(exclusion.tolist(), walls.tolist(), strict=True))
    candidates = _uniform(rng, 2 * n)
    budget = _TRIALS + _TRIALS_PER_DISK * n
    while budget > 0:
        centers, used = _attempt(bodies, box, gap, candidates, budget)
        if len(centers) == n:
            return np.array(centers, dtype=np.float64)
        budget -= used
    raise _impossible(n, coverage, f"random sequential addition saturates at about {SATURATION}")


def _impossible(n: int, coverage: float, limit: str) -> PackingError:
    return PackingError(
        f"{n} disks could not be placed without overlap: including the distance between them "
        f"they would cover {coverage:.3f} of the box, but {limit}",
        where="packing",
        hint="Use fewer or smaller disks, a smaller gap or exclusion distance, or a larger box.",
    )


def _uniform(rng: np.random.Generator, block: int) -> Iterator[list[float]]:
    """Yield endless uniform pairs in [0, 1), drawn `block` at a time."""
    while True:
        yield from rng.random((block, 2)).tolist()


def _attempt(
    bodies: list[tuple[float, float]],
    box: float,
    gap: float,
    candidates: Iterator[list[float]],
    budget: int,
) -> tuple[list[tuple[float, float]], int]:
    """Place bodies until one fails; return the centres so far and the number of positions tried.

    It uses lists of floats, which for few disks is several times faster than arrays; a cell list
    (cells at least one exclusion distance wide) keeps it linear for thousands.
    """
    reach = 2 * max(exclusion for exclusion, _ in bodies) + gap
    per_side = max(1, min(int(box / reach), math.isqrt(len(bodies)) + 1))
    scale = per_side / box
    # One empty cell around the box, and one more for a centre that rounds onto the far wall.
    width = per_side + 3
    cells: list[list[tuple[float, float, float]]] = [[] for _ in range(width * width)]
    around = [row * width + column for row in (-1, 0, 1) for column in (-1, 0, 1)]
    centers: list[tuple[float, float]] = []
    used = 0
    for exclusion, wall in bodies:
        span = box - 2 * wall
        for u, v in itertools.islice(candidates, min(_PATIENCE, budget - used)):
            used += 1
            x, y = wall + u * span, wall + v * span
            home = (int(y * scale) + 1) * width + int(x * scale) + 1
            if not any(
                (x - px) ** 2 + (y - py) ** 2 < (exclusion + taken) ** 2
                for offset in around
                for px, py, taken in cells[home + offset]
            ):
                cells[home].append((x, y, exclusion + gap))
                centers.append((x, y))
                break
        else:
            break
    return centers, used

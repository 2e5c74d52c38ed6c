"""What a solver is held to: honest above all, whatever shape it knows."""

# ruff: noqa: D401 - a check's docstring is the demand it makes, as users are shown it

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speckle_core.contracts.arrays import FloatArray
from speckle_core.contracts.geometry import Configuration
from speckle_core.contracts.solution import Solution
from speckle_core.errors import PatternError
from speckle_core.testing.check import Check, CheckFailed, CheckSkipped, Subject, require
from speckle_core.testing.specimens import GRID, intensities

# Enough to see whether the answer holds; a search that gives up late would take minutes.
_STARTS = 2
#: A claim of "solved" must reproduce the intensity to this share of its mean, or to the noise.
_EXPLAINED = 1e-3
_TRIED = (1, 2, 4)


def _solve(subject: Subject, pattern: FloatArray, **given: Any) -> Solution:
    solver = subject.make(**subject.lowered(starts=_STARTS))
    found: Solution = solver.solve(pattern, GRID, **given)
    return found


def _pattern(count: int = 2) -> FloatArray:
    return np.asarray(intensities(np.array([count]), 5)[0])


def _noise() -> FloatArray:
    """Return exponential intensities, the speckle of no structure, with I(-k) = I(k)."""
    drawn = np.random.default_rng(8).exponential(size=GRID.shape)
    return drawn + drawn[::-1, ::-1]


def _gap() -> NDArray[np.bool_]:
    """Return a mask with a gap across the pattern, off its middle."""
    mask = np.ones(GRID.shape, dtype=bool)
    mask[24:27] = False
    return mask


def _numbers(found: Solution) -> list[Any]:
    """Return all that a solution says but its seconds."""
    return [
        found.configuration.box,
        *(p.centers for p in found.configuration.particles),
        *(p.bounding_radii for p in found.configuration.particles),
        *(values for errors in found.errors for values in errors.values()),
        (found.scale, found.offset, found.residual, found.noise_residual, found.solved),
        sorted(found.deviances.items()),
    ]


def _same(first: Solution, second: Solution) -> bool:
    pairs = zip(_numbers(first), _numbers(second), strict=False)
    return len(_numbers(first)) == len(_numbers(second)) and all(
        np.array_equal(a, b, equal_nan=True) for a, b in pairs
    )


def returns_a_solution(subject: Subject) -> None:
    """Patterns in either precision give a Solution with finite numbers and arrays that fit."""
    for dtype in (np.float32, np.float64):
        found = _solve(subject, _pattern().astype(dtype))
        require(isinstance(found, Solution), f"it gave {type(found).__name__}, not a Solution")
        inside: Any = found.configuration
        require(isinstance(inside, Configuration), "its configuration is not a Configuration")
        numbers = (found.scale, found.offset, found.residual, found.noise_residual)
        require(np.isfinite(numbers).all(), f"scale, offset or a residual is not finite: {numbers}")
        require(found.residual >= 0 and found.scale > 0, "a residual or scale is negative")
        require(isinstance(found.solved, bool), f"solved is {found.solved!r}, not true or false")
        fits = not found.errors or len(found.errors) == len(inside.particles)
        require(fits, f"{len(found.errors)} errors for {len(inside.particles)} kinds of particles")
        for particles, errors in zip(inside.particles, found.errors, strict=False):
            for name, values in errors.items():
                require(np.shape(values) == (len(particles),), f"errors of {name!r} do not fit")
        shown = np.asarray(found.pattern(GRID))
        require(np.isfinite(shown).all(), "the pattern of what it found holds NaN or infinity")


def bodies_lie_in_the_box(subject: Subject) -> None:
    """The bodies lie in the box, the middle of their centres' extent in its middle."""
    found = _solve(subject, _pattern()).configuration
    if not len(found):
        raise CheckSkipped("it finds no body in the kit's pattern")
    centers = np.concatenate([p.centers for p in found.particles])
    middle = (centers.max(axis=0) + centers.min(axis=0)) / 2
    require(
        np.allclose(middle, found.box / 2, atol=1e-6 * found.box),
        f"the middle of the bodies' extent is {middle.tolist()}, of the box {found.box / 2:g}",
        "A pattern does not say where bodies lie; put the middle of their extent at box / 2.",
    )


def deterministic(subject: Subject) -> None:
    """One pattern and one seed give the same answer, again and from a new one."""
    first, second = (_solve(subject, _pattern(), seed=3) for _ in range(2))
    require(_same(first, second), "a second call with the same seed gave another answer")


def input_unchanged(subject: Subject) -> None:
    """Pattern and mask are left as they were."""
    pattern, mask = _pattern(), _gap()
    _solve(subject, pattern, mask=mask)
    require(np.array_equal(pattern, _pattern()), "the pattern given has changed")
    require(np.array_equal(mask, _gap()), "the mask given has changed")


def masked_pixels_do_not_count(subject: Subject) -> None:
    """What masked pixels hold, NaN included, does not matter."""
    mask = _gap()
    found = [
        _solve(subject, np.where(mask, _pattern(), value), mask=mask) for value in (np.nan, 1e9)
    ]
    require(_same(*found), "other values under the mask gave another answer")


def refuses_clearly(subject: Subject) -> None:
    """NaN, a constant pattern, a mask without pixels and a wrong shape are each a PatternError."""
    pattern, nowhere = _pattern(), np.zeros(GRID.shape, dtype=bool)
    holed = pattern.copy()
    holed[5, 7] = math.nan
    cases: dict[str, Callable[[], object]] = {
        "NaN in a pixel that counts": lambda: _solve(subject, holed),
        "a constant pattern": lambda: _solve(subject, np.ones(GRID.shape)),
        "a mask that leaves no pixel": lambda: _solve(subject, pattern, mask=nowhere),
        "a pattern of another shape than the grid": lambda: _solve(subject, pattern[1:]),
    }
    for what, call in cases.items():
        try:
            call()
        except PatternError:
            continue
        except Exception as error:
            raise CheckFailed(
                f"{what} made it fail with {type(error).__name__}: {error}",
                hint="Raise PatternError, saying what is wrong and what to do.",
            ) from error
        raise CheckFailed(f"it took {what} without a word")


def noise_is_not_solved(subject: Subject) -> None:
    """Noise is never called solved."""
    require(not _solve(subject, _noise()).solved, "it calls noise solved")


def solved_explains(subject: Subject) -> None:
    """What it calls solved explains the pattern: scale · |A|² + offset is what was measured."""
    claimed = 0
    for count in _TRIED:
        pattern = _pattern(count)
        found = _solve(subject, pattern)
        if not found.solved:
            continue
        claimed += 1
        missed = np.abs(found.pattern(GRID) - pattern).mean() / pattern.mean()
        allowed = max(_EXPLAINED, 4 * found.noise_residual)
        require(missed <= allowed, f"its solution misses {missed:.2g} of the intensity")
    if not claimed:
        raise CheckSkipped("it solves none of the kit's patterns, which are of Gaussian bodies")


CHECKS = (
    Check("solver.returns-a-solution", returns_a_solution),
    Check("solver.bodies-lie-in-the-box", bodies_lie_in_the_box),
    Check("solver.deterministic", deterministic),
    Check("solver.input-unchanged", input_unchanged),
    Check("solver.masked-pixels-do-not-count", masked_pixels_do_not_count),
    Check("solver.refuses-clearly", refuses_clearly),
    Check("solver.noise-is-not-solved", noise_is_not_solved),
    Check("solver.solved-explains", solved_explains),
)

"""Checks of solvers; above all, they must not claim false solutions."""

# ruff: noqa: D401 - a check's docstring is its requirement, shown to users

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

# Few starts are enough for these checks; a long unsuccessful search would take minutes.
_STARTS, _MOST = 1, 4
#: A solved pattern must be reproduced to this fraction of the mean intensity, or to the noise.
_EXPLAINED = 1e-3
_TRIED = (1, 2, 4)


def _solve(subject: Subject, pattern: FloatArray, **given: Any) -> Solution:
    solver = subject.make(**subject.lower_options(starts=_STARTS, most=_MOST))
    found: Solution = solver.solve(pattern, GRID, **given)
    return found


def _pattern(count: int = 2) -> FloatArray:
    return np.asarray(intensities(np.array([count]), 5)[0])


def _noise() -> FloatArray:
    """Return random exponential intensities with I(-k) = I(k), which no structure gives."""
    drawn = np.random.default_rng(8).exponential(size=GRID.shape)
    return drawn + drawn[::-1, ::-1]


def _gap() -> NDArray[np.bool_]:
    """Return a mask with a gap across the pattern, away from its middle."""
    mask = np.ones(GRID.shape, dtype=bool)
    mask[24:27] = False
    return mask


def _numbers(found: Solution) -> list[Any]:
    """Return all values of a solution except its seconds."""
    return [
        found.configuration.box,
        *(p.centers for p in found.configuration.particles),
        *(p.bounding_radii for p in found.configuration.particles),
        *(values for errors in found.errors for values in errors.values()),
        (found.scale, found.offset, found.residual, found.noise_residual, found.solved),
        (found.explained, found.faintest),
        sorted(found.deviances.items()),
    ]


def _same(first: Solution, second: Solution) -> bool:
    pairs = zip(_numbers(first), _numbers(second), strict=False)
    return len(_numbers(first)) == len(_numbers(second)) and all(
        np.array_equal(a, b, equal_nan=True) for a, b in pairs
    )


def returns_a_solution(subject: Subject) -> None:
    """Float32 and float64 patterns give a Solution with finite values and consistent arrays."""
    for dtype in (np.float32, np.float64):
        found = _solve(subject, _pattern().astype(dtype))
        require(isinstance(found, Solution), f"it returned {type(found).__name__}, not a Solution")
        inside: Any = found.configuration
        require(isinstance(inside, Configuration), "its configuration is not a Configuration")
        numbers = (found.scale, found.offset, found.residual, found.noise_residual)
        require(np.isfinite(numbers).all(), f"scale, offset or a residual is not finite: {numbers}")
        require(found.residual >= 0 and found.scale > 0, "a residual or scale is negative")
        for name in ("solved", "explained"):
            claim = getattr(found, name)
            require(isinstance(claim, bool), f"{name} is {claim!r}, not true or false")
        fits = not found.errors or len(found.errors) == len(inside.particles)
        require(fits, f"{len(found.errors)} errors for {len(inside.particles)} kinds of particles")
        for particles, errors in zip(inside.particles, found.errors, strict=False):
            for name, values in errors.items():
                require(np.shape(values) == (len(particles),), f"errors of {name!r} do not fit")
        shown = np.asarray(found.pattern(GRID))
        require(np.isfinite(shown).all(), "the pattern of its solution contains NaN or infinity")


def bodies_lie_in_the_box(subject: Subject) -> None:
    """The extent of the bodies' centres is centred in the box."""
    found = _solve(subject, _pattern()).configuration
    if not len(found):
        raise CheckSkipped("it finds no bodies in the kit's pattern")
    centers = np.concatenate([p.centers for p in found.particles])
    middle = (centers.max(axis=0) + centers.min(axis=0)) / 2
    require(
        np.allclose(middle, found.box / 2, atol=1e-6 * found.box),
        f"the middle of the bodies' extent is {middle.tolist()}, not {found.box / 2:g}",
        "A pattern does not determine the absolute position; centre the extent at box / 2.",
    )


def deterministic(subject: Subject) -> None:
    """The same pattern and seed give the same solution, again and from a new instance."""
    first, second = (_solve(subject, _pattern(), seed=3) for _ in range(2))
    require(_same(first, second), "a second call with the same seed gave another answer")


def input_unchanged(subject: Subject) -> None:
    """Pattern and mask are left unchanged."""
    pattern, mask = _pattern(), _gap()
    _solve(subject, pattern, mask=mask)
    require(np.array_equal(pattern, _pattern()), "the input pattern has changed")
    require(np.array_equal(mask, _gap()), "the input mask has changed")


def masked_pixels_do_not_count(subject: Subject) -> None:
    """The values of masked pixels, even NaN, do not matter."""
    mask = _gap()
    found = [
        _solve(subject, np.where(mask, _pattern(), value), mask=mask) for value in (np.nan, 1e9)
    ]
    require(_same(*found), "the values of masked pixels changed the solution")


def refuses_clearly(subject: Subject) -> None:
    """NaN, a constant pattern, an empty mask and a wrong shape each raise PatternError."""
    pattern, nowhere = _pattern(), np.zeros(GRID.shape, dtype=bool)
    holed = pattern.copy()
    holed[5, 7] = math.nan
    cases: dict[str, Callable[[], object]] = {
        "NaN in an unmasked pixel": lambda: _solve(subject, holed),
        "a constant pattern": lambda: _solve(subject, np.ones(GRID.shape)),
        "a mask without pixels": lambda: _solve(subject, pattern, mask=nowhere),
        "a pattern of a wrong shape": lambda: _solve(subject, pattern[1:]),
    }
    for what, call in cases.items():
        try:
            call()
        except PatternError:
            continue
        except Exception as error:
            raise CheckFailed(
                f"{what} raised {type(error).__name__}: {error}",
                hint="Raise PatternError that says what is wrong and what to do.",
            ) from error
        raise CheckFailed(f"it accepted {what}")


def noise_is_not_solved(subject: Subject) -> None:
    """Noise is never reported as solved."""
    found = _solve(subject, _noise())
    require(not (found.solved or found.explained), "it reports noise as solved")


def solved_explains(subject: Subject) -> None:
    """A solved pattern is reproduced by scale · |A|² + offset."""
    claimed = 0
    for count in _TRIED:
        pattern = _pattern(count)
        found = _solve(subject, pattern)
        if not (found.solved or found.explained):
            continue
        claimed += 1
        missed = np.abs(found.pattern(GRID) - pattern).mean() / pattern.mean()
        allowed = max(_EXPLAINED, 4 * found.noise_residual)
        require(missed <= allowed, f"its solution deviates by {missed:.2g} of the intensity")
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

"""Checks of preprocessors: patterns are independent, and the input is unchanged."""

# ruff: noqa: D401 - a check's docstring is its requirement, shown to users

from __future__ import annotations

import numpy as np

from speckle_core.contracts.arrays import FloatArray
from speckle_core.contracts.grid import KGrid
from speckle_core.testing.check import Check, Subject, require
from speckle_core.testing.specimens import GRID, intensities

_GRIDS = (GRID, KGrid.quadrant(24, 0.003))


def _patterns(grid: KGrid) -> FloatArray:
    return intensities(np.array([2, 4, 16]), 3, grid)


def shape_and_dtype(subject: Subject) -> None:
    """For float32 and float64 input, the result is finite, floating and of the same shape."""
    step = subject.make()
    for grid in _GRIDS:
        for dtype in (np.float32, np.float64):
            patterns = _patterns(grid).astype(dtype)
            found = np.asarray(step(patterns, grid))
            require(found.shape == patterns.shape, f"{patterns.shape} became {found.shape}")
            floating = np.issubdtype(found.dtype, np.floating)
            require(floating, f"{patterns.dtype} became {found.dtype}")
            require(np.isfinite(found).all(), "a value is NaN or infinite")


def input_unchanged(subject: Subject) -> None:
    """The input patterns are left unchanged."""
    step, patterns = subject.make(), _patterns(GRID)
    before = patterns.copy()
    found = np.asarray(step(patterns, GRID))
    require(np.array_equal(before, patterns), "the input patterns have changed")
    found += 1
    require(np.array_equal(before, patterns), "the result shares memory with the input")


def batch_is_one_by_one(subject: Subject) -> None:
    """Patterns are processed independently: a batch gives the same as each pattern alone."""
    step, patterns = subject.make(), _patterns(GRID)
    together = np.asarray(step(patterns, GRID))
    alone = np.concatenate([np.asarray(step(patterns[i : i + 1], GRID)) for i in range(3)])
    require(
        np.allclose(together, alone, rtol=1e-6), "the result depends on other patterns in the batch"
    )


def deterministic(subject: Subject) -> None:
    """The same patterns give the same bits, again and from a new instance."""
    step, patterns = subject.make(), _patterns(GRID)
    first = np.asarray(step(patterns, GRID))
    for other in (step, subject.make()):
        require(np.array_equal(first, other(patterns, GRID)), "a second call gave other values")


CHECKS = (
    Check("preprocessor.shape-and-dtype", shape_and_dtype),
    Check("preprocessor.input-unchanged", input_unchanged),
    Check("preprocessor.batch-is-one-by-one", batch_is_one_by_one),
    Check("preprocessor.deterministic", deterministic),
)

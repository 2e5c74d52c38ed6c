"""Raw patterns made ready for a classifier: checked, then each preparation step in turn."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from speckle_core.contracts.arrays import FloatArray
from speckle_core.contracts.grid import KGrid
from speckle_core.errors import PatternError

#: A preparation step, ``step(patterns (B, ny, nx), grid) -> (B, ny, nx)``: any `Preprocessor`.
Step = Callable[[FloatArray, KGrid], FloatArray]


def prepare(
    patterns: FloatArray,
    grid: KGrid,
    steps: Sequence[Step],
    *,
    where: str = "patterns",
    valid: NDArray[np.bool_] | None = None,
) -> NDArray[np.float32]:
    """Check raw patterns and apply `steps`; float32 (B, ny, nx).

    `valid` (B, ny, nx) is True where a pixel counts; steps that can use it are given it.

    Raises
    ------
    PatternError
        For a shape that is not the grid's, or NaN or infinity before or after a step.
    """
    if patterns.ndim != 3 or patterns.shape[1:] != grid.shape:
        raise PatternError(
            f"patterns of shape {patterns.shape} on a grid of {grid.size} × {grid.size} pixels",
            where=where,
        )
    if (bad := _first_not_finite(patterns)) is not None:
        raise PatternError(
            f"pattern {bad} contains NaN or infinity",
            where=where,
            hint="Mask or replace dead pixels first.",
        )
    # A mask that masks nothing changes no bit of a result.
    masked = valid is not None and not valid.all()
    for step in steps:
        # `SupportsMask`, which builds on this module.
        use_mask = getattr(step, "masked", None) if masked else None
        patterns = step(patterns, grid) if use_mask is None else use_mask(patterns, grid, valid)
        if _first_not_finite(patterns) is not None:
            raise PatternError(
                f"{type(step).__name__} turned finite patterns into NaN or infinity", where=where
            )
    return np.ascontiguousarray(patterns, dtype=np.float32)


def _first_not_finite(patterns: FloatArray) -> int | None:
    """Return the index of the first pattern (ny, nx) with NaN or infinity, or None."""
    for index, pattern in enumerate(patterns):
        # NaN is both the smallest and the largest; this takes a third of the time of isfinite.
        if pattern.size and not (math.isfinite(pattern.min()) and math.isfinite(pattern.max())):
            return index
    return None

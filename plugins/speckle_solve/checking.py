"""What a solver refuses, each with one clear error, and which pixels count."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from speckle_core import KGrid, PatternError
from speckle_solve.halfplane import HalfPlane, half_plane
from speckle_solve.zero_level import block, level_of

Floats = NDArray[np.floating[Any]]

# Fewer known pixels than this fix not even two bodies.
_FEWEST = 64


def prepared(pattern: Any, grid: KGrid, mask: Any) -> HalfPlane:
    """Return the half plane of a raw or standardized `pattern` (ny, nx).

    Parameters
    ----------
    pattern : array, (ny, nx)
        Intensities or counts; where masked, anything.
    grid : KGrid
        Which k each pixel has.
    mask : array of bool, (ny, nx), optional
        True where a pixel counts. Without it, all do but a block of equal pixels round k = 0.

    Raises
    ------
    PatternError
        For shapes that do not fit, numbers that are not finite, a mask that leaves nothing, and a
        pattern that is constant.
    """
    values = np.asarray(pattern)
    if values.shape != grid.shape:
        raise PatternError(
            f"a pattern of shape {values.shape} is not ({grid.size}, {grid.size}) as its grid is",
            where="solve",
        )
    if values.dtype.kind not in "fiub":
        raise PatternError(f"a pattern of {values.dtype} holds no real numbers", where="solve")
    if values.dtype.kind != "f":
        values = values.astype(np.float64)
    if np.isfinite(values).all() and np.ptp(values) == 0:
        raise PatternError("the pattern is constant", where="solve")
    with np.errstate(invalid="ignore"):
        found = block(values, grid)
    if mask is None:
        valid = np.ones(grid.shape, dtype=bool)
        if found is not None:
            valid[found] = False
    else:
        valid = np.asarray(mask)
        if valid.shape != grid.shape or valid.dtype != np.bool_:
            raise PatternError(
                f"a mask of {valid.dtype} and shape {valid.shape} is not bool and {grid.shape}",
                where="solve",
            )
        # A block under the mask tells the zero; one that the mask leaves in is blocked too.
        valid = valid.copy()
        if found is not None and np.isfinite(values[found]).all():
            valid[found] = False
    if not np.isfinite(values[valid]).all():
        raise PatternError(
            "holds NaN or infinity where no mask covers it",
            where="solve",
            hint="Mask those pixels.",
        )
    if not valid.any():
        raise PatternError("the mask leaves no pixel", where="solve")
    level = level_of(values, valid, None if found is None else values[found])
    half = half_plane(values, grid, valid, level)
    if np.count_nonzero(half.known) < _FEWEST:
        raise PatternError(
            f"the mask leaves {np.count_nonzero(half.known)} pixels, too few to find anything",
            where="solve",
        )
    return half

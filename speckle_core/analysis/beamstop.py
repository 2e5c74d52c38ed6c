"""Find the pixels that preparation steps hide, without assuming the shape of a beamstop."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.preparation import Step
from speckle_core.errors import SpeckleError


def hidden_pixels(steps: Sequence[Step], grid: KGrid) -> NDArray[np.bool_]:
    """Return which pixels the `steps` hide, (ny, nx): their output does not depend on the input.

    Each step is applied to three different patterns with speckle statistics, so a beamstop of any
    shape in a third-party plugin is found.
    """
    patterns = np.random.default_rng(0).exponential(size=(3, *grid.shape))
    found = np.zeros(grid.shape, dtype=np.bool_)
    for step in steps:
        try:
            prepared = np.asarray(step(patterns.copy(), grid))
        except SpeckleError:
            continue  # it rejects such patterns, so nothing is known about it
        if prepared.shape == patterns.shape:
            found |= np.ptp(prepared, axis=0) == 0
    return found


def filled_rectangle(mask: NDArray[np.bool_]) -> tuple[slice, slice] | None:
    """Return the slices of `mask` if it is a filled rectangle, else None."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return None
    block = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
    return block if mask[block].all() else None

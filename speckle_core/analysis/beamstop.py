"""Which pixels a preparation hides, found by asking its steps; nothing is assumed of a beamstop."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.patterns import Step
from speckle_core.errors import SpeckleError


def hidden_pixels(steps: Sequence[Step], grid: KGrid) -> NDArray[np.bool_]:
    """Return which pixels the `steps` hide, (ny, nx): whatever falls there, one value comes out.

    Each step alone is given three different patterns of speckle statistics. So a beamstop of any
    shape in a stranger's plugin is found, and nothing need be agreed on.
    """
    patterns = np.random.default_rng(0).exponential(size=(3, *grid.shape))
    found = np.zeros(grid.shape, dtype=np.bool_)
    for step in steps:
        try:
            prepared = np.asarray(step(patterns.copy(), grid))
        except SpeckleError:
            continue  # it refuses such patterns, which says nothing of a beamstop
        if prepared.shape == patterns.shape:
            found |= np.ptp(prepared, axis=0) == 0
    return found


def filled_rectangle(mask: NDArray[np.bool_]) -> tuple[slice, slice] | None:
    """Return the rectangle that `mask` fills, if it is one."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return None
    block = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
    return block if mask[block].all() else None

"""The speckle contrast of each training class, ring by ring, and how other patterns differ from it.

Arrays in, arrays out; `TrainingProfiles` holds what is found.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from speckle_core.analysis.ring_profiles import ring_contrast
from speckle_core.contracts.arrays import FloatArray
from speckle_core.contracts.grid import KGrid

Array = NDArray[np.float64]
#: How much less and how much more contrast than that of all training patterns counts as theirs.
#: Resampling and a blur of half a pixel lower it by up to five times as much as any of them, and a
#: network reads such patterns all the same, but not twice the blur or a coherence length of a third
#: of the box (docs/results/faults). Chance coincidences of distances between bodies raise it.
_SLACK = np.array([3.0, 1.5])


def summarise(contrasts: list[Array]) -> dict[str, Any]:
    """Return means, spread and extremes of the contrasts of each class, (B, rings) each.

    Empty where no ring has a contrast, as on a quadrant.
    """
    means = np.stack([c.mean(axis=0) for c in contrasts])
    residuals = np.concatenate([c - m for c, m in zip(contrasts, means, strict=True)])
    spread = np.maximum(residuals.std(axis=0), 1e-3)
    # A blocked ring has no light.
    if not (known := np.isfinite(means).all(axis=0) & np.isfinite(spread)).any():
        return {}
    means[:, ~known], spread[~known] = np.nan, np.nan
    off = np.nanmedian((residuals / spread)[:, known], axis=1)
    return {
        "contrasts": means,
        "contrast_spread": spread,
        "contrast_farthest": np.maximum([-off.min(), off.max()], 1e-3) * _SLACK,
    }


def difference(
    contrasts: Array | None,
    spread: Array | None,
    prepared: FloatArray,
    grid: KGrid,
    measured: NDArray[np.bool_] | None,
) -> Array:
    """Return how much more contrast patterns have than each class, (B, classes).

    It is the median over the rings, in standard deviations; NaN where fewer than half are known.
    """
    if contrasts is None or spread is None:
        return np.full((len(prepared), 1), np.nan)
    nowhere = np.full((len(prepared), len(contrasts)), np.nan)
    known = np.isfinite(spread)
    found = ring_contrast(prepared, grid, len(known), measured)[:, known]
    off = (found[:, None] - contrasts[:, known]) / spread[known]
    seen = np.isfinite(off).mean(axis=2) >= 0.5
    nowhere[seen] = np.nanmedian(off[seen], axis=1)
    return nowhere

"""A frame whose k = 0 lies between its pixels, on a grid that has k = 0 in the middle of one.

Arrays in, arrays out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from speckle_core.contracts.grid import KGrid

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
#: Pixels beside the grid that the spline still uses.
_MARGIN = 8
#: Least share of the weight of the nearest pixels that must have been measured.
_SEEN = 0.75


def between_pixels(
    counts: NDArray[np.generic], valid: Mask, center: tuple[float, float], grid: KGrid
) -> tuple[Array, Mask]:
    """Return the intensity at the places of `grid`, by a spline, and what is known of it.

    Moved to the nearest pixel instead, k and -k would differ by as much as about a wrong centre.
    Speckle sampled as coarsely as the sampling theorem allows keeps 97 % of its contrast under a
    spline of fifth order, and 70 % under a mean of neighbours. What the spline overshoots below the
    least intensity of the frame is cut off.

    Parameters
    ----------
    counts : array, (ny, nx)
        Intensity.
    valid : array of bool, (ny, nx)
        True for valid pixels; others are bridged by those at -k, then by the nearest.
    center : tuple of float
        k = 0 as (y, x) [pixel].
    grid : KGrid
        A grid with the frame's step.
    """
    from scipy import ndimage  # takes longer to import than most frames take

    part, along, middle = [], [], []
    for c, n in zip(center, counts.shape, strict=True):
        wanted = np.asarray(grid.indices + c, dtype=np.float64)
        first = int(np.clip(np.floor(wanted[0]) - _MARGIN, 0, n - 1))
        last = int(np.clip(np.ceil(wanted[-1]) + _MARGIN, first, n - 1))
        part.append(slice(first, last + 1))
        along.append(wanted - first)
        middle.append(c - first)
    seen = valid[tuple(part)]
    if not seen.any():
        return np.zeros(grid.shape), np.zeros(grid.shape, dtype=bool)
    light = np.where(seen, counts[tuple(part)], 0).astype(np.float64)
    least = float(light[seen].min())
    places = np.meshgrid(*along, indexing="ij")
    pattern = ndimage.map_coordinates(_bridged(light, seen, middle), places, order=5, mode="mirror")
    share = ndimage.map_coordinates(seen.astype(np.float64), places, order=1, mode="constant")
    known = share > _SEEN
    return np.where(known, np.maximum(pattern, least), 0.0), known


def _bridged(light: Array, seen: Mask, middle: Sequence[float]) -> Array:
    """Return `light` with values in all unseen pixels: those at -k, else the nearest."""
    from scipy import ndimage

    if seen.all():
        return light
    known, light = seen.copy(), light.copy()
    there = [
        np.rint(2 * c - np.arange(n)).astype(int) for c, n in zip(middle, seen.shape, strict=True)
    ]
    inside = [(t >= 0) & (t < n) for t, n in zip(there, seen.shape, strict=True)]
    place, other = np.ix_(*inside), np.ix_(*(t[i] for t, i in zip(there, inside, strict=True)))
    fill = ~seen[place] & seen[other]
    light[place] = np.where(fill, light[other], light[place])
    known[place] |= fill
    nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    return np.asarray(light[tuple(nearest)])

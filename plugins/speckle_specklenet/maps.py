"""Patterson maps: Fourier transforms of intensities, and their peaks.

A map has a peak at the vector between every two bodies, and one at the origin (A. L. Patterson,
Phys. Rev. 46, 372 (1934)). It reaches to π along each axis, half its period, and is the same at r
and -r.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_specklenet.plane import Half

Floats = NDArray[np.floating[Any]]

#: κ of the weight k² exp(-k²/2κ²) in units of the half distance, and its most in units of the
#: reach.
_KAPPA, _WIDEST = 0.96, 0.45
#: Where that weight ends, in κ.
_END = 3.5
#: Pixels of the map for each pixel of k up to that end, and for each pixel of k of the sharp map.
_FINENESS, _SHARP = 1.7, 1.5625
#: A pixel over this many times the azimuthal mean is division by almost nothing.
_HIGHEST = 30.0
#: Half the width of a peak of the sharp map [pixels].
_PEAK = 5
_NOWHERE = np.float32(-1.0)


@attrs.frozen(eq=False)
class Map:
    """A Patterson map.

    Parameters
    ----------
    values : array, (2 middle + 1, 2 middle + 1)
        1 at r = 0, which is at [middle, middle].
    highest : array, like `values`
        The maximum of each pixel and its eight neighbours.
    pixel : float
        Distance of pixels [1 / k step].
    """

    values: Floats
    highest: Floats
    pixel: float

    @property
    def middle(self) -> int:
        """The index of r = 0 along each axis."""
        return len(self.values) // 2

    def peaks(self, count: int, clear: float) -> tuple[Floats, NDArray[np.intp]]:
        """Return the highest local maxima at least `clear` [pixels] from r = 0.

        Returns
        -------
        heights : array, (count,)
            Descending; -1 where there are fewer.
        vectors : array, (count, 2)
            (y, x) from r = 0 [pixels], one of each pair r, -r.
        """
        middle = self.middle
        # The map is the same at r and -r: the lower half is enough, and half of the row y = 0.
        low = self.values[middle:]
        top = (low == self.highest[middle:]) & (low > 0)
        top[0, : middle + 1] = False
        y, x = np.divmod(np.flatnonzero(top), low.shape[1])
        x -= middle
        far = y * y + x * x > clear * clear
        y, x = y[far], x[far]
        found = self.values[y + middle, x + middle]
        order = np.argsort(-found, kind="stable")[:count]
        heights = np.full(count, _NOWHERE, dtype=np.float32)
        vectors = np.zeros((count, 2), dtype=np.intp)
        heights[: len(order)] = found[order]
        vectors[: len(order)] = np.stack([y[order], x[order]], axis=1)
        return heights, vectors


@lru_cache(maxsize=8)
def _waves(middle: int, band: int) -> tuple[Floats, Floats, float]:
    """Return cosines and sines of k·r for k and r from 0, (band + 1, middle + 1), and the pixel."""
    pixel = math.pi / middle
    phase = np.outer(np.arange(band + 1), np.arange(middle + 1)) * pixel
    return np.cos(phase).astype(np.float32), np.sin(phase).astype(np.float32), pixel


def _map(half: Floats, band: int, middle: int, norm: float = 0.0) -> Map:
    """Return the transform of the pixels with |ky|, |kx| ≤ band of a half plane, over `norm`."""
    reach = half.shape[1] // 2
    right = half[: band + 1, reach : reach + band + 1]
    left = half[: band + 1, reach - band : reach + 1][:, ::-1]
    even, odd = right + left, right - left
    even[:, 0] = half[: band + 1, reach]
    cos, sin, pixel = _waves(middle, band)
    together = cos.T @ (even @ cos)
    across = sin.T @ (odd @ sin)
    # The right half, with one column beyond x = 0 for its neighbours.
    side = np.empty((2 * middle + 1, middle + 2), dtype=np.float32)
    np.subtract(together, across, out=side[middle:, 1:])
    np.add(together[:0:-1], across[:0:-1], out=side[:middle, 1:])
    side[:, 0] = side[::-1, 2]
    side /= norm or max(float(together[0, 0]), 1e-30)
    return Map(_whole(side[:, 1:]), _whole(max3(side)[:, 1:]), pixel)


def _whole(right: Floats) -> Floats:
    return np.concatenate([right[::-1, :0:-1], right], axis=1)


def max3(values: Floats) -> Floats:
    """Return the maximum of each pixel and its eight neighbours."""
    rows = values.copy()
    np.maximum(rows[1:], values[:-1], out=rows[1:])
    np.maximum(rows[:-1], values[1:], out=rows[:-1])
    found = rows.copy()
    np.maximum(found[:, 1:], rows[:, :-1], out=found[:, 1:])
    np.maximum(found[:, :-1], rows[:, 1:], out=found[:, :-1])
    return found


def weighted(half: Half) -> Map:
    """Return the map of k² exp(-k²/2κ²) I, where pairs of unlike bodies have positive peaks."""
    plane = half.plane
    width = min(_KAPPA * half.half_distance, _WIDEST * plane.reach)
    band = plane.band(_END * width)
    columns = slice(plane.reach - band, plane.reach + band + 1)
    square = plane.distance[: band + 1, columns] ** 2
    weight = square * np.exp(square * np.float32(-0.5 / width**2))
    weight *= half.intensity[: band + 1, columns] * plane.once[: band + 1, columns]
    return _map(weight, band, math.ceil(_FINENESS * band))


def sharp(half: Half) -> Map:
    """Return the map of the intensity over its azimuthal mean: the sharpest for equal bodies."""
    plane = half.plane
    taper = 1 - (plane.distance / (plane.reach + 0.5)) ** 2
    np.maximum(taper, 0, out=taper)
    taper *= half.known
    ratio = np.minimum(half.intensity / half.spread(), _HIGHEST) * taper
    total = float(ratio.sum())
    ratio -= total / taper.sum() * taper
    found = _map(ratio, plane.reach, math.ceil(_SHARP * plane.reach), total)
    # The peak of 1 at r = 0 was subtracted with the mean; without it no body would see itself.
    axis = np.arange(-_PEAK, _PEAK + 1)
    peak = np.maximum(1 - np.hypot(axis[:, None], axis) / _PEAK, 0)
    inner = slice(found.middle - _PEAK, found.middle + _PEAK + 1)
    for values in (found.values, found.highest):
        values[inner, inner] = np.maximum(values[inner, inner], peak)
    return found

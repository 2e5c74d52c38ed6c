"""Patterns whose k and -k differ: noise, and a centre that is off.

Without noise I(k) = I(-k). Counted patterns are moved so that this holds as well as it can, and the
mean of both is used; what they still differ by is the noise.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

Floats = NDArray[np.floating[Any]]

#: Share of the square of the intensity by which k and -k of a pattern without noise differ at most.
EXACT = 1e-5
#: Most that the centre is off [pixels].
_FARTHEST = 6
#: Windows for the local mean and the local contrast, and pixels left out about the block [pixels].
_MEAN, _CONTRAST, _RIM = 11, 25, 4
_LEAST = 1e-20


def asymmetry(pattern: Floats) -> float:
    """Return by how much k and -k differ, as a share of the square of their sum.

    Half of the rows have all pairs, those of the middle row twice.
    """
    rows = len(pattern) // 2 + 1
    half, other = pattern[:rows], pattern[::-1, ::-1][:rows]
    differences, sums = (half - other).ravel(), (half + other).ravel()
    return float(differences @ differences / (sums @ sums))


@lru_cache(maxsize=4)
def _distances(size: int) -> tuple[Floats, Floats]:
    axis = np.abs(np.arange(size) - size // 2).astype(np.float32)
    return np.maximum(axis[:, None], axis), np.hypot(axis[:, None], axis)


def offset(pattern: Floats, block: float) -> Floats:
    """Return (y, x) of k = 0 from the middle of a pattern [pixels].

    The convolution of the speckles with themselves is highest at twice the offset.

    Parameters
    ----------
    pattern : array, (size, size)
        From 0 on.
    block : float
        Half the side of the square without intensity [pixels].
    """
    size = len(pattern)
    if size // 2 < block + 4 * _RIM:
        return np.zeros(2)
    square, distance = _distances(size)
    used = ((square > block + _RIM) & (distance < size // 2 - _RIM)).astype(np.float32)
    root = np.sqrt(pattern)
    mean = ndimage.uniform_filter(root, _MEAN)
    speckles = (root - mean) * used
    contrast = ndimage.uniform_filter(speckles * speckles, _CONTRAST)
    speckles *= np.sqrt(np.maximum(mean, 0) / np.maximum(contrast, contrast.max() * 1e-6 + _LEAST))
    whole = fft.next_fast_len(size + 2 * _FARTHEST, real=True)
    waves = fft.rfft2(speckles, (whole, whole))
    found = fft.irfft2(waves * waves, (whole, whole))
    around = np.arange(-2 * _FARTHEST, 2 * _FARTHEST + 1) + 2 * (size // 2)
    found = found.take(around, axis=0, mode="wrap").take(around, axis=1, mode="wrap")
    at = np.unravel_index(int(found.argmax()), found.shape)
    place = [_summit(found[:, at[1]], int(at[0])), _summit(found[at[0]], int(at[1]))]
    return (np.array(place) - 2 * _FARTHEST) / 2


def _summit(line: Floats, at: int) -> float:
    if not 0 < at < len(line) - 1:
        return float(at)
    before, here, after = (float(v) for v in line[at - 1 : at + 2])
    bend = before - 2 * here + after
    return at + 0.5 * (before - after) / bend if bend < 0 else float(at)


def symmetric(pattern: Floats, block: float) -> tuple[Floats, Floats, float]:
    """Return a pattern about its own k = 0, its noise, and how much of its rim is not known.

    Returns
    -------
    mean : array, (size, size)
        The mean of k and -k.
    half_difference : array, (size, size)
        Half of their difference; its square is the variance of the mean.
    rim : float
        Pixels about the block and along the sides that are not measured any more.
    """
    found = np.clip(offset(pattern, block), -_FARTHEST, _FARTHEST)
    moved = ndimage.shift(pattern, -found, order=3, mode="nearest")
    other = moved[::-1, ::-1]
    mean = np.maximum((moved + other) / 2, 0).astype(np.float32)
    return mean, ((moved - other) / 2).astype(np.float32), float(np.ceil(np.abs(found).max())) + 1

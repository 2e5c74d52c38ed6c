"""Patterns whose k and -k differ: noise, and a centre that is off.

Without noise I(k) = I(-k). The centre of counted patterns is where this holds best. Maps are made
of the mean of both about it, interpolated; what is fitted are pairs of pixels as they were counted,
and what these differ by is the noise.
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy import fft

Floats = NDArray[np.floating[Any]]

#: Share of the square of the intensity by which k and -k of a pattern without noise differ at most.
EXACT = 1e-5
#: Most that the centre is off [pixels].
FARTHEST = 6
#: Least share of the pixels that must have a partner, about any centre that is tried.
_FEWEST = 0.1
#: Steps between two half pixels for the centre.
_FINER = 4
#: Window for pixels that were completed [pixels].
_NEAR = 5
_ONE = np.float32(1)


def asymmetry(pattern: Floats) -> float:
    """Return by how much k and -k differ, as a share of the square of their sum.

    Half of the rows have all pairs, those of the middle row twice.
    """
    rows = len(pattern) // 2 + 1
    half, other = pattern[:rows], pattern[::-1, ::-1][:rows]
    differences, sums = (half - other).ravel(), (half + other).ravel()
    return float(differences @ differences / (sums @ sums))


def offset(pattern: Floats, counted: NDArray[np.bool_]) -> Floats:
    """Return (y, x) of k = 0 from the middle of a pattern [pixels].

    There the roots of k and -k differ least, in the mean of the pairs that were counted: roots of
    counts all have about the same noise.

    Parameters
    ----------
    pattern : array, (size, size)
        From 0 on.
    counted : array of bool, (size, size)
        Which pixels were counted.
    """
    from scipy import ndimage  # takes longer to import than a pattern without noise takes

    size = len(pattern)
    whole = fft.next_fast_len(size + 2 * FARTHEST, real=True)
    values = np.where(counted, pattern, np.float32(0))
    ones = counted.astype(np.float32)
    square, root, one = (fft.rfft2(v, (whole, whole)) for v in (values, np.sqrt(values), ones))
    around = np.arange(-2 * FARTHEST, 2 * FARTHEST + 1) + 2 * (size // 2)
    differ, pairs = (
        fft.irfft2(v, (whole, whole))
        .take(around, axis=0, mode="wrap")
        .take(around, axis=1, mode="wrap")
        for v in (square * one - root * root, one * one)
    )
    if pairs.min() < _FEWEST * size * size:
        return np.zeros(2)
    # Narrow fringes may fit better beside the centre than about the half pixel next to it.
    differ = ndimage.zoom(differ / pairs, (_FINER * (len(around) - 1) + 1) / len(around), order=3)
    at = np.unravel_index(int(differ.argmin()), differ.shape)
    place = np.array(at) + _dip(differ, int(at[0]), int(at[1]))
    return (place / _FINER - 2 * FARTHEST) / 2


def _dip(values: Floats, y: int, x: int) -> Floats:
    """Return how far the minimum of a quadratic form is from the least of some values."""
    if not (0 < y < len(values) - 1 and 0 < x < len(values) - 1):
        return np.zeros(2)
    near = values[y - 1 : y + 2, x - 1 : x + 2].astype(np.float64)
    slope = np.array([near[2, 1] - near[0, 1], near[1, 2] - near[1, 0]]) / 2
    mixed = (near[2, 2] - near[2, 0] - near[0, 2] + near[0, 0]) / 4
    bend = np.array(
        [
            [near[2, 1] - 2 * near[1, 1] + near[0, 1], mixed],
            [mixed, near[1, 2] - 2 * near[1, 1] + near[1, 0]],
        ]
    )
    if not np.linalg.eigvalsh(bend)[0] > 0:
        return np.zeros(2)
    return np.clip(-np.linalg.solve(bend, slope), -0.5, 0.5)


def symmetric(pattern: Floats, found: Floats) -> tuple[Floats, float]:
    """Return a pattern about its own k = 0, which is `found` from the middle.

    Returns
    -------
    mean : array, (size, size)
        The mean of k and -k.
    rim : float
        Pixels about the block and along the sides that are not measured any more.
    """
    from scipy import ndimage

    moved = ndimage.shift(pattern, -found, order=3, mode="nearest")
    mean = np.maximum((moved + moved[::-1, ::-1]) / 2, 0).astype(np.float32)
    return mean, float(np.ceil(np.abs(found).max())) + 1


@attrs.frozen(eq=False)
class Pairs:
    """Pixels at k and -k as they were counted, on the half plane about a shifted centre.

    Interpolation to another centre would smooth the noise. Pixels pair about the half pixel next to
    k = 0 instead, which their mean depends on in second order only.

    Parameters
    ----------
    shift : array, (2,)
        (y, x) of the centre of the pairs [pixels].
    mean : array, (reach + 1, size)
        The mean of both.
    known : array, (reach + 1, size)
        1 where both were counted, else 0.
    square : array, (reach + 1, size)
        The square of half their difference: the variance of the mean, and more about a centre that
        is off.
    """

    shift: Floats
    mean: Floats
    known: Floats
    square: Floats

    @classmethod
    def of(cls, pattern: Floats, found: Floats, counted: NDArray[np.bool_]) -> Pairs:
        """Return the pairs of a pattern whose k = 0 is `found` from the middle."""
        size = len(pattern)
        middle = size // 2
        twice = np.rint(2 * found).astype(np.intp)
        rows = middle + twice[0] - np.arange(middle + 1)
        columns = middle + twice[1] - (np.arange(size) - middle)
        inside = ((rows >= 0) & (rows < size))[:, None] & (columns >= 0) & (columns < size)
        other = np.ix_(rows.clip(0, size - 1), columns.clip(0, size - 1))
        upper, lower = pattern[middle:], pattern[other]
        known = (inside & counted[middle:] & counted[other]).astype(np.float32)
        return cls(twice / 2, (upper + lower) / 2, known, ((upper - lower) / 2) ** 2)


def counted_pixels(pattern: Floats, block: float) -> NDArray[np.bool_]:
    """Return which pixels, (size, size), were counted: neither blocked about k = 0 nor completed.

    Parameters
    ----------
    pattern : array, (size, size)
        From 0 on.
    block : float
        Half the side of the square without intensity [pixels].
    """
    axis = np.abs(np.arange(len(pattern)) - len(pattern) // 2)
    found: NDArray[np.bool_] = (np.maximum(axis[:, None], axis) >= block) & ~completed(pattern)
    return found


def completed(pattern: Floats) -> NDArray[np.bool_]:
    """Return which pixels, (size, size), hold what was counted at -k about the middle, or gave it.

    Gaps are filled so before a classifier sees a pattern. Two counts are seldom the same, and not
    of all pixels of a neighbourhood.
    """
    from scipy import ndimage

    other = pattern[::-1, ::-1]
    lit = (pattern > 0) | (other > 0)
    same = lit & (pattern == other)
    near = ndimage.uniform_filter(same.astype(np.float32), _NEAR)
    found: NDArray[np.bool_] = same & (near > 0.5 * ndimage.uniform_filter(lit * _ONE, _NEAR))
    return found

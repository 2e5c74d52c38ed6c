"""Where k = 0 lies on a frame, from Friedel's law alone: I(-k) = I(k).

Arrays in, a position out. Half pixels are the finest that is told apart.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from speckle_core.analysis.regrid import rebin
from speckle_core.errors import PatternError

Mask = NDArray[np.bool_]
#: The search begins on at most so many pixels a side, and ends on this many about what it found.
_COARSE, _FINE = 400, 320
#: Share of the pixels whose counterpart must lie on the frame.
_OVERLAP = 0.3
#: Correlation below which no centre is believed. Independent halves of speckle give 0.
_LEAST = 0.2


def beam_center(counts: NDArray[np.generic], valid: Mask) -> tuple[float, float]:
    """Return k = 0 of a frame as (y, x) [pixel], where it is most like itself turned by 180°.

    Parameters
    ----------
    counts : array, (ny, nx)
        Intensity; the whole lobe about k = 0 may be behind a beamstop.
    valid : array of bool, (ny, nx)
        True where a pixel counts.

    Raises
    ------
    PatternError
        When the frame is nowhere like itself turned about.
    """
    by = -(-max(counts.shape) // _COARSE)
    coarse, known = rebin(counts, valid, by) if by > 1 else (counts, valid)
    (y, x), score = _best(coarse, known)
    center = ((y + 0.5) * by - 0.5, (x + 0.5) * by - 0.5)
    if by > 1:
        corner = [max(0, round(c) - _FINE // 2) for c in center]
        part = tuple(slice(c, c + _FINE) for c in corner)
        (y, x), score = _best(counts[part], valid[part])
        center = (y + corner[0], x + corner[1])
    if score < _LEAST:
        raise PatternError(
            f"no centre was found: turned about the best one, ({center[0]:.1f}, {center[1]:.1f}), "
            f"it correlates with itself by {score:.2f}",
            hint="Give --center Y,X, or a mask that leaves out gaps and hot pixels.",
        )
    return center


def _best(counts: NDArray[np.generic], valid: Mask) -> tuple[tuple[float, float], float]:
    """Return the centre of the most significant correlation, and that correlation."""
    # The root of counts varies by as much wherever it is, so that no bright pixel decides.
    root = np.sqrt(np.maximum(np.where(valid, counts, 0), 0).astype(np.float64))
    if not valid.any() or np.ptp(root[valid]) == 0:
        return (0.0, 0.0), 0.0
    weights = valid.astype(np.float64)
    root = (root - root[valid].mean()) * weights
    shape = [fft.next_fast_len(2 * n - 1, real=True) for n in counts.shape]
    light, mask, square = (fft.rfft2(a, shape) for a in (root, weights, root**2))
    ny, nx = (2 * n - 1 for n in counts.shape)
    pairs = fft.irfft2(mask * mask, shape)[:ny, :nx]
    one = fft.irfft2(light * mask, shape)[:ny, :nx]
    two = fft.irfft2(square * mask, shape)[:ny, :nx]
    both = fft.irfft2(light * light, shape)[:ny, :nx]
    enough = pairs > _OVERLAP * np.count_nonzero(valid)
    number = np.where(enough, pairs, 1.0)
    variance = two / number - (one / number) ** 2
    fine = enough & (variance > 1e-9 * two.max() / number)
    correlation = np.where(fine, (both / number - (one / number) ** 2), 0.0) / np.where(
        fine, variance, 1.0
    )
    place = np.unravel_index(np.argmax(correlation), correlation.shape)
    return (float(place[0]) / 2, float(place[1]) / 2), float(correlation[place])

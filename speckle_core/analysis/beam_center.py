"""Where k = 0 lies on a frame, from Friedel's law alone: I(-k) = I(k).

Arrays in, a position out. Half pixels are the finest that is told apart.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from speckle_core.analysis.regrid import rebin
from speckle_core.errors import PatternError

Mask = NDArray[np.bool_]
#: The search begins on at most so many pixels a side, and ends on this many about what it found.
_COARSE, _FINE = 400, 320
#: Share of the pixels whose counterpart must lie on the frame.
_OVERLAP = 0.3
#: Correlation below which no centre is believed. Independent halves of speckle give 0.
_LEAST = 0.2
#: Share of the light that may differ between k and -k. With 1e4 photons on 129² pixels it is at
#: most 0.12; about a false centre on a frame that sees only half of the pattern, at least 0.18.
_MOST_UNLIKE = 0.15
#: Standard deviation of the smoothing that takes photon noise away before that is measured [pixel].
_SMOOTH = 1.5
#: Brighter pixels than this percentile count as much as it, so that no hot pixel decides.
_BRIGHTEST = 99.9


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
        When the frame is nowhere like itself turned about, as one that sees only half of the
        pattern.
    """
    by = -(-max(counts.shape) // _COARSE)
    coarse, known = rebin(counts, valid, by) if by > 1 else (counts, valid)
    (y, x), score = _best(coarse, known)
    center = ((y + 0.5) * by - 0.5, (x + 0.5) * by - 0.5)
    unlike = _unlike(coarse, known, (y, x))
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
    if unlike > _MOST_UNLIKE:
        raise PatternError(
            f"no centre was found: turned about the best one, ({center[0]:.1f}, {center[1]:.1f}), "
            f"{unlike:.0%} of its light lies elsewhere",
            hint="Too little of the frame has a counterpart at -k. Give --center Y,X.",
        )
    return center


def _unlike(counts: NDArray[np.generic], valid: Mask, center: tuple[float, float]) -> float:
    """Return which share of the light differs between k and -k where both are on the frame."""
    if not valid.any():
        return 1.0
    light = np.where(valid, counts, 0).astype(np.float64)
    light = np.clip(light, 0, max(float(np.percentile(light[valid], _BRIGHTEST)), 0))
    weights = valid.astype(np.float64)
    share = ndimage.gaussian_filter(weights, _SMOOTH, mode="constant")
    smooth = ndimage.gaussian_filter(light, _SMOOTH, mode="constant") / np.maximum(share, 1e-9)
    part = []
    for c, n in zip(center, counts.shape, strict=True):
        both = round(2 * c)
        part.append(slice(max(0, both - n + 1), min(n - 1, both) + 1))
    here, there = smooth[tuple(part)], valid[tuple(part)]
    there = there & there[::-1, ::-1]
    total = float(here[there].sum())
    return float(np.abs(here - here[::-1, ::-1])[there].sum()) / (2 * total) if total > 0 else 1.0


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

"""From the pixels of a frame to those of a grid in k: resampled, with its mask, and completed.

Arrays in, arrays out. A grid's value is the intensity that falls on the area of its pixel, so that
sums are conserved.
"""

from __future__ import annotations

import functools

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core.analysis.subpixel import between_pixels
from speckle_core.contracts.grid import KGrid
from speckle_core.errors import PatternError

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
#: Steps that differ by less are the same: the edge of 513 pixels is then off by a quarter of one.
SAME_STEP = 1e-3
#: How much coarser than the grid a frame may be. Steps of the grid are usually as wide as the
#: sampling theorem allows, so that a frame with wider ones has lost some of what lies between; a
#: network trained at 129 pixels reads patterns 1.25 times as coarse as well as its own.
COARSEST = 1.3
#: k = 0 nearer to the middle of a pixel than this [pixel] is taken to be there.
_AT_PIXEL = 0.1
#: Rings without any pixel of the frame that are still completed, as a share of all.
_EMPTY_RINGS = 0.02
#: Share of a ring's pixels that must be known for the frame to reach as far as that ring.
_SEEN = 0.5


@attrs.frozen(eq=False)
class OnGrid:
    """A frame brought to a grid.

    Parameters
    ----------
    pattern : array, (ny, nx)
        Intensity, whole: invalid pixels hold an estimate.
    valid : array of bool, (ny, nx)
        True where the intensity was measured, at k or at -k.
    measured : array of bool, (ny, nx)
        True where it was measured at k itself.
    """

    pattern: Array
    valid: Mask
    measured: Mask


def to_grid(
    counts: NDArray[np.generic],
    valid: Mask,
    center: tuple[float, float],
    step: float,
    grid: KGrid,
) -> OnGrid:
    """Return a frame on `grid`, completed from I(-k) = I(k) and then from the means of rings.

    Parameters
    ----------
    counts : array, (ny, nx)
        Intensity.
    valid : array of bool, (ny, nx)
        True where a pixel counts.
    center : tuple of float
        k = 0 as (y, x) [pixel].
    step : float
        Distance of the frame's pixels in k, in the unit of the grid's.
    grid : KGrid
        Where to.

    Raises
    ------
    PatternError
        When the frame is too coarse, or does not reach as far in k as the grid does.
    """
    ratio = grid.step / step
    if 1 / ratio > COARSEST:
        raise PatternError(
            f"its k step is {step:.6g}, {1 / ratio:.2f} times the model's {grid.step:.6g}: what "
            "lies between its pixels was not measured",
            hint="Move the detector back, or train a model on a grid of that step.",
        )
    if abs(ratio - 1) <= SAME_STEP:
        off = max(abs(c - np.floor(c + 0.5)) for c in center)
        move = _shifted if off <= _AT_PIXEL else between_pixels
        pattern, known = move(counts, valid, center, grid)
    else:
        pattern, known = _resampled(counts, valid, center, ratio, grid)
    measured = known
    pattern, known = fold(pattern, known, grid)
    return OnGrid(_filled(pattern, known, grid, step, center, counts.shape), known, measured)


def completed(counts: NDArray[np.generic], valid: Mask, grid: KGrid) -> Array:
    """Return `counts` that lie on `grid` already, completed as a frame is by `to_grid`.

    Raises
    ------
    PatternError
        When too few pixels are valid.
    """
    if counts.shape != grid.shape:
        return to_grid(counts, valid, (grid.origin, grid.origin), grid.step, grid).pattern
    pattern, known = fold(np.where(valid, counts, 0).astype(np.float64), valid, grid)
    return _filled(pattern, known, grid, grid.step, (grid.origin, grid.origin), counts.shape)


def _shifted(
    counts: NDArray[np.generic], valid: Mask, center: tuple[float, float], grid: KGrid
) -> tuple[Array, Mask]:
    """Return the pixels about the nearest one to k = 0, none of them changed.

    Interpolating between pixels as wide as the sampling theorem allows would take away contrast.
    """
    pattern, known = np.zeros(grid.shape), np.zeros(grid.shape, dtype=bool)
    rows, columns = (np.arange(grid.size) - grid.origin + int(np.floor(c + 0.5)) for c in center)
    inside_y = (rows >= 0) & (rows < counts.shape[0])
    inside_x = (columns >= 0) & (columns < counts.shape[1])
    if inside_y.any() and inside_x.any():
        place, there = np.ix_(inside_y, inside_x), np.ix_(rows[inside_y], columns[inside_x])
        pattern[place], known[place] = counts[there], valid[there]
    return np.where(known, pattern, 0.0), known


def _resampled(
    counts: NDArray[np.generic], valid: Mask, center: tuple[float, float], ratio: float, grid: KGrid
) -> tuple[Array, Mask]:
    """Return sums of counts over the area of each pixel of the grid; half a pixel must be known."""
    # Only the part of the frame that the grid lies on: the rest would cost memory.
    part, along = [], []
    for c, n in zip(center, counts.shape, strict=True):
        middles = np.asarray(grid.indices * ratio + c, dtype=np.float64)
        first = int(np.clip(np.floor(middles[0] - ratio), 0, n - 1))
        last = int(np.clip(np.ceil(middles[-1] + ratio), first, n - 1))
        part.append(slice(first, last + 1))
        along.append(_overlaps(middles - first, ratio, last + 1 - first))
    weights = valid[tuple(part)].astype(np.float64)
    light = np.where(valid[tuple(part)], counts[tuple(part)], 0).astype(np.float64)
    covered = along[0] @ weights @ along[1].T / ratio**2
    known = covered > 0.5
    total = along[0] @ light @ along[1].T
    return np.divide(total, covered, out=np.zeros(grid.shape), where=known), known


def _overlaps(middles: Array, width: float, pixels: int) -> Array:
    """Return which share of each pixel lies within `width` about each of `middles`, (grid, n)."""
    edges = np.arange(pixels + 1) - 0.5
    low = np.clip(middles[:, None] - width / 2, edges[:-1], edges[1:])
    high = np.clip(middles[:, None] + width / 2, edges[:-1], edges[1:])
    return np.asarray(high - low)


def fold(pattern: Array, known: Mask, grid: KGrid) -> tuple[Array, Mask]:
    """Return `pattern` with unknown pixels taken from -k, and what is known then.

    Friedel's law, I(-k) = I(k), holds for any sample whose density is real.
    """
    if grid.layout != "centered":
        return pattern, known
    unknown = np.flatnonzero(~known)
    folded = pattern.flatten()
    # The pixel of -k comes as far from the last as that of k from the first.
    other, there = folded[::-1][unknown], known.ravel()[::-1][unknown]
    folded[unknown] = np.where(there, other, 0.0)
    return folded.reshape(pattern.shape), known | known[::-1, ::-1]


def _filled(
    pattern: Array,
    known: Mask,
    grid: KGrid,
    step: float,
    center: tuple[float, float],
    shape: tuple[int, ...],
) -> Array:
    """Return `pattern` with unknown pixels at the mean of their ring.

    Raises
    ------
    PatternError
        When there are rings of which nothing is known, but for those about k = 0.
    """
    if known.all():
        return pattern
    ring, whole_rings = _rings(grid)
    unknown = np.flatnonzero(~known)
    pixels = whole_rings - np.bincount(ring[unknown], minlength=len(whole_rings))
    # Unknown pixels are 0 in `pattern`.
    means = np.bincount(ring, weights=pattern.ravel())
    rings = np.arange(len(pixels))
    lit = pixels > 0
    if not lit.any():
        raise PatternError("no pixel is valid", hint="Check the mask and the centre.")
    # Rings that the border cuts are judged by those that lie whole on the grid.
    whole = grid.size - grid.origin
    seen = pixels >= _SEEN * whole_rings
    outer = rings[:whole][seen[:whole]]
    reached = int(outer.max()) if outer.size else 0
    if whole - 1 - reached > max(1, _EMPTY_RINGS * whole):
        raise PatternError(
            f"it reaches k = {reached * grid.step:.4g}, the model's grid {grid.k_max:.4g} "
            f"({grid.size} × {grid.size} pixels of {grid.step:.6g}); the frame has {shape[0]} × "
            f"{shape[1]} pixels of {step:.6g} about ({center[0]:.1f}, {center[1]:.1f})",
            hint="Use a frame that sees as much of k, or train a model on a smaller grid.",
        )
    profile = np.interp(rings, rings[lit], means[lit] / pixels[lit])
    filled = pattern.flatten()
    filled[unknown] = profile[ring[unknown]]
    return filled.reshape(pattern.shape)


@functools.lru_cache(maxsize=8)
def _rings(grid: KGrid) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the ring of each pixel, (ny * nx,), and the number of pixels of each ring."""
    ring = np.rint(grid.distance()).astype(np.int64).ravel()
    return ring, np.bincount(ring)


def rebin(counts: NDArray[np.generic], valid: Mask, by: int) -> tuple[Array, Mask]:
    """Return sums over blocks of `by` × `by` pixels; a block counts where half of it does.

    Rows and columns that do not fill a block are left out at the far ends.
    """
    ny, nx = (n // by * by for n in counts.shape)
    shape = (ny // by, by, nx // by, by)
    share = valid[:ny, :nx].reshape(shape).mean(axis=(1, 3))
    light = np.where(valid, counts, 0)[:ny, :nx].reshape(shape)
    total = light.sum(axis=(1, 3), dtype=np.float64)
    known = share >= 0.5
    return np.divide(total, share, out=np.zeros(share.shape), where=known), known

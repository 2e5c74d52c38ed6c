"""The four preprocessors.

Patterns are processed independently, so a pattern in a batch comes out exactly as it would alone.
The input is never changed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core import FloatArray, KGrid, OptionError, PatternError

_SMALL, _LARGE = 1e-15, 1e15
# Mean in units of the deviation above which the mean is subtracted before scaling.
_OFFSET = 4.0


def _check_size(_: object, __: object, value: int) -> None:
    if value < 1 or value % 2 == 0:
        raise OptionError(
            f"the block is centred on a pixel, so size must be odd and positive, not {value}",
            where="size",
        )


def _check_scale(_: object, __: object, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise OptionError(f"scale must be positive and finite, not {value}", where="scale")


def _fitting(patterns: FloatArray, grid: KGrid, where: str) -> FloatArray:
    """Return `patterns` as floating numbers; raise if the shape is not the grid's."""
    if patterns.ndim != 3 or patterns.shape[1:] != grid.shape:
        raise PatternError(
            f"patterns of shape {patterns.shape} are not (B, {grid.size}, {grid.size})", where=where
        )
    return np.asarray(patterns, dtype=np.result_type(patterns, np.float32))


def _standardize_float32(pattern: FloatArray, out: FloatArray) -> bool:
    """Write a float32 pattern (ny, nx) to `out`, standardized to 1e-6; return False if it may fail.

    The squares of a row are summed in float32 and the rows in float64.
    """
    if pattern.dtype != np.float32:
        return False
    low, high = float(pattern.min()), float(pattern.max())
    # Beyond these, squares overflow or vanish; NaN and infinity are beyond them, too.
    if not (_SMALL < high - low < _LARGE and max(-low, high) < _LARGE):
        return False
    mean = float(pattern.sum(dtype=np.float64)) / pattern.size
    np.subtract(pattern, np.float32(mean), out=out)
    # What rounding the mean left over matters where it is far larger than the deviation.
    out -= np.float32(mean - float(np.float32(mean)))
    variance = float(np.einsum("yx,yx->y", out, out).sum(dtype=np.float64)) / pattern.size
    scale = 1 / math.sqrt(variance)
    if abs(mean) * scale > _OFFSET:
        out *= np.float32(scale)
        return True
    # Rounded once, so that dim pixels keep their distance from a blocked centre.
    np.multiply(pattern, np.float32(scale), out=out)
    out -= np.float32(mean * scale)
    return True


def _spread(
    patterns: FloatArray, where: str, lacking: str, first: int = 0
) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Iterate over index and values of every pattern scaled to 0…1, float64 (ny, nx)."""
    for index, pattern in enumerate(patterns, start=first):
        low, high = float(pattern.min()), float(pattern.max())
        if not (math.isfinite(low) and math.isfinite(high)):
            raise PatternError(f"pattern {index} contains NaN or infinity", where=where)
        if low == high:
            raise PatternError(
                f"pattern {index} has no {lacking}: every pixel is {low:g}",
                where=where,
                hint="Leave it out; it may be an empty frame or a closed shutter.",
            )
        yield index, (pattern.astype(np.float64) - low) / (high - low)


@attrs.frozen(kw_only=True)
class BlockCenter:
    """A square beamstop, as in front of a detector.

    Parameters
    ----------
    size : int
        Pixels along each side, odd [pixel]. On a quadrant only the part with k ≥ 0 exists.

    Raises
    ------
    OptionError
        For a size that is even or below 1.
    """

    size: int = attrs.field(default=11, validator=_check_size)

    def __call__(self, patterns: FloatArray, grid: KGrid) -> FloatArray:
        """Return `patterns` (B, ny, nx) with 0 in the `size` × `size` pixels around k = 0.

        Raises
        ------
        PatternError
            When the patterns are not of the grid's shape.
        """
        out = np.array(_fitting(patterns, grid, "block-center"))
        out[:, *grid.block(self.size)] = 0
        return out


def _check_window(_: object, __: object, value: tuple[float, ...] | None) -> None:
    if value is not None and not (len(value) == 2 and 0 <= value[0] < value[1]):
        raise OptionError(
            f"must be the lowest and the highest k, not {value}",
            where="window",
            hint="For a network trained at 257 pixels of π/2000: [0.0, 0.201].",
        )


@attrs.frozen(kw_only=True)
class Standardize:
    """Zero mean and unit variance of each pattern, (I - mean) / standard deviation.

    Both are computed in float64 over all pixels, including a blocked centre; the variance is the
    mean square deviation (not n - 1). With a mask, only valid pixels count.

    Parameters
    ----------
    window : tuple of float, optional
        Lowest and highest |kx| and |ky| [1/length] of the pixels used for mean and deviation, so
        that a larger pattern is scaled like a smaller one; by default all pixels.

    Raises
    ------
    OptionError
        For a window that is not two ascending numbers from 0.
    """

    window: tuple[float, ...] | None = attrs.field(default=None, validator=_check_window)

    def __call__(self, patterns: FloatArray, grid: KGrid) -> FloatArray:
        """Return `patterns` (B, ny, nx), standardized.

        Raises
        ------
        PatternError
            For a pattern without variance, NaN or infinity, or of another shape than the grid's.
        """
        if self.window is not None:
            return self.masked(patterns, grid, np.ones(np.shape(patterns), dtype=bool))
        patterns = _fitting(patterns, grid, "standardize")
        out = np.empty_like(patterns)
        # The result does not depend on scale and offset; with values in 0…1 no square overflows.
        for index, pattern in enumerate(patterns):
            if not _standardize_float32(pattern, out[index]):
                for _, spread in _spread(pattern[None], "standardize", "variance", index):
                    spread -= spread.mean()
                    out[index] = spread / math.sqrt(np.mean(spread**2))
        return out

    def masked(self, patterns: FloatArray, grid: KGrid, valid: NDArray[np.bool_]) -> FloatArray:
        """Return `patterns` (B, ny, nx), standardized by their `valid` pixels (B, ny, nx).

        Raises
        ------
        PatternError
            As without a mask, and if no pixel is valid.
        """
        patterns = _fitting(patterns, grid, "standardize")
        out = np.empty_like(patterns)
        window = self._within(grid)
        for index, pattern in _spread(patterns, "standardize", "variance"):
            chosen = pattern[valid[index] & window]
            if not chosen.size or np.ptp(chosen) == 0:
                raise PatternError(
                    f"pattern {index} has no variance in its valid pixels", where="standardize"
                )
            pattern -= chosen.mean()
            out[index] = pattern / chosen.std()
        return out

    def _within(self, grid: KGrid) -> NDArray[np.bool_]:
        """Return which pixels are in the window, (ny, nx)."""
        if self.window is None:
            return np.ones(grid.shape, dtype=bool)
        low, high = self.window
        far = np.abs(grid.axis)
        # Tolerance, so that rounding does not exclude the last pixel of a smaller grid.
        largest = np.maximum(far[:, None], far[None, :])
        found: NDArray[np.bool_] = (largest >= low) & (largest <= high + grid.step / 2)
        return found


@attrs.frozen(kw_only=True)
class MinMax:
    """Each pattern scaled to 0…1, (I - min) / (max - min)."""

    def __call__(self, patterns: FloatArray, grid: KGrid) -> FloatArray:
        """Return `patterns` (B, ny, nx) with smallest pixel 0 and largest 1.

        Raises
        ------
        PatternError
            For a constant pattern, NaN or infinity, or another shape than the grid's.
        """
        patterns = _fitting(patterns, grid, "min-max")
        out = np.empty_like(patterns)
        for index, pattern in _spread(patterns, "min-max", "range"):
            out[index] = pattern
        return out


@attrs.frozen(kw_only=True)
class Log:
    """log(1 + I / scale), natural.

    It needs no cutoff: 0 stays 0, also behind a beamstop; it is linear far below `scale`,
    logarithmic far above, and monotonic.

    Parameters
    ----------
    scale : float
        Intensity at which linear turns into logarithmic, in the unit of the patterns: 1 suits
        photon counts, and is far below nearly all pixels of simulated patterns [area²].

    Raises
    ------
    OptionError
        For a scale that is not positive and finite.
    """

    scale: float = attrs.field(default=1.0, validator=_check_scale)

    def __call__(self, patterns: FloatArray, grid: KGrid) -> FloatArray:
        """Return the logarithm of `patterns` (B, ny, nx).

        Raises
        ------
        PatternError
            For a negative intensity, or another shape than the grid's.
        """
        patterns = _fitting(patterns, grid, "log")
        lowest = patterns.min(axis=(1, 2), initial=0)
        if (lowest < 0).any():
            index = int(np.argmax(lowest < 0))
            raise PatternError(
                f"pattern {index} has a negative intensity, {lowest[index]:g}",
                where="log",
                hint="Take the logarithm before 'standardize', or subtract less background.",
            )
        logarithm = np.log1p(patterns.astype(np.float64) / self.scale)
        return np.asarray(logarithm, dtype=patterns.dtype)

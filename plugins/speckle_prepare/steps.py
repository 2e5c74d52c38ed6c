"""The four preprocessors; each pattern is changed on its own, and the input is left as it is.

A pattern in a batch comes out exactly as it would alone, so nothing here may look across patterns.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core import FloatArray, KGrid, OptionError, PatternError


def _check_size(_: object, __: object, value: int) -> None:
    if value < 1 or value % 2 == 0:
        raise OptionError(
            f"the block is centred on a pixel, so its size is odd and positive, not {value}",
            where="size",
        )


def _check_scale(_: object, __: object, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise OptionError(f"scale must be positive and finite, not {value}", where="scale")


def _fitting(patterns: FloatArray, grid: KGrid, where: str) -> FloatArray:
    """Return `patterns` as floating numbers, or refuse a shape that is not the grid's."""
    if patterns.ndim != 3 or patterns.shape[1:] != grid.shape:
        raise PatternError(
            f"patterns of shape {patterns.shape} are not (B, {grid.size}, {grid.size})", where=where
        )
    return np.asarray(patterns, dtype=np.result_type(patterns, np.float32))


def _spread(
    patterns: FloatArray, where: str, lacking: str
) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Yield the index of every pattern and its values brought to 0…1, float64 (ny, nx)."""
    for index, pattern in enumerate(patterns):
        low, high = float(pattern.min()), float(pattern.max())
        if not (math.isfinite(low) and math.isfinite(high)):
            raise PatternError(f"pattern {index} contains NaN or infinity", where=where)
        if low == high:
            raise PatternError(
                f"pattern {index} has no {lacking}: every pixel is {low:g}",
                where=where,
                hint="Leave it out: an empty frame or a closed shutter looks like this.",
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

    Both are taken over all pixels, a blocked centre included, and in float64; the variance is the
    mean square deviation (no n - 1). Where a mask says which pixels count, over those alone.

    Parameters
    ----------
    window : tuple of float, optional
        Lowest and highest |kx| and |ky| [1/length] of the pixels that mean and deviation are taken
        over, so that a wider view is scaled as a narrower one was; by default all pixels.

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
        # The result does not depend on scale and offset; from 0…1 no square over- or underflows.
        for index, pattern in _spread(patterns, "standardize", "variance"):
            pattern -= pattern.mean()
            out[index] = pattern / math.sqrt(np.mean(pattern**2))
        return out

    def masked(self, patterns: FloatArray, grid: KGrid, valid: NDArray[np.bool_]) -> FloatArray:
        """Return `patterns` (B, ny, nx), scaled by what `valid` (B, ny, nx) says counts.

        Raises
        ------
        PatternError
            As without a mask, and when no pixel counts.
        """
        patterns = _fitting(patterns, grid, "standardize")
        out = np.empty_like(patterns)
        window = self._within(grid)
        for index, pattern in _spread(patterns, "standardize", "variance"):
            chosen = pattern[valid[index] & window]
            if not chosen.size or np.ptp(chosen) == 0:
                raise PatternError(
                    f"pattern {index} has no variance where it counts", where="standardize"
                )
            pattern -= chosen.mean()
            out[index] = pattern / chosen.std()
        return out

    def _within(self, grid: KGrid) -> NDArray[np.bool_]:
        """Return which pixels lie in the window, (ny, nx)."""
        if self.window is None:
            return np.ones(grid.shape, dtype=bool)
        low, high = self.window
        far = np.abs(grid.axis)
        # The last pixel of a narrower grid is inside, whatever the last bit of its k.
        largest = np.maximum(far[:, None], far[None, :])
        found: NDArray[np.bool_] = (largest >= low) & (largest <= high + grid.step / 2)
        return found


@attrs.frozen(kw_only=True)
class MinMax:
    """Each pattern brought to 0…1, (I - min) / (max - min)."""

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

    Unlike a logarithm with a floor it needs no cut: 0 stays 0, so a beamstop and dark pixels do, it
    is linear far below `scale` and logarithmic far above, and what lies between keeps its order.

    Parameters
    ----------
    scale : float
        Intensity where linear turns into logarithmic, in the patterns' own unit: 1 suits photon
        counts, and is far below all but the darkest pixels of simulated patterns in area².

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

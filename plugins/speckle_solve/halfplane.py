"""A pattern as the solver sees it: half of k space, without offset, with the noise of each pixel.

I(-k) = I(k) for real contrast, so both halves of a centred pattern are one; a pixel that only one
half shows is known all the same, and a quadrant is a half plane of which one half is missing.
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core import KGrid
from speckle_solve.zero_level import Level

Floats = NDArray[np.floating[Any]]


@attrs.frozen(eq=False)
class HalfPlane:
    """Intensities over kx ≥ 0, indexed [ky + reach, kx] in pixels.

    Parameters
    ----------
    step : float
        Distance of pixels [1/length].
    intensity : array, (2 reach + 1, reach + 1)
        Without offset, in the unit `level.unit`; counts add where both halves were recorded. 0
        where unknown.
    known : array of bool
        Where intensity is known; k = 0 and one of each pair (ky, -ky) at kx = 0 are left out.
    exposure : array
        How much of `scale · |A|²` the pixel should hold: 2 where the counts of two pixels were
        added, else 1.
    variance : array
        Of the rounding of each intensity, same unit squared.
    level : Level
        What was subtracted and divided by.
    """

    step: float
    intensity: NDArray[np.float64]
    known: NDArray[np.bool_]
    exposure: NDArray[np.float64]
    variance: NDArray[np.float64]
    level: Level

    @property
    def reach(self) -> int:
        """Pixels from k = 0 to the edge."""
        return int(self.intensity.shape[1]) - 1

    def axes(self) -> tuple[Floats, Floats]:
        """Return ky (2 reach + 1,) and kx (reach + 1,) [1/length]."""
        reach = self.reach
        whole = np.arange(-reach, reach + 1, dtype=np.float64) * self.step
        return whole, whole[reach:]

    def distance(self) -> NDArray[np.float64]:
        """Return each pixel's distance from k = 0 in pixels."""
        ky, kx = self.axes()
        lengths: NDArray[np.float64] = np.hypot(ky[:, None], kx) / self.step
        return lengths


def half_plane(pattern: Floats, grid: KGrid, valid: NDArray[np.bool_], level: Level) -> HalfPlane:
    """Return the half plane of a checked `pattern` (ny, nx) whose pixels count where `valid`."""
    values = np.where(valid, (np.asarray(pattern, dtype=np.float64) - level.offset), 0.0)
    values /= level.unit
    variance = np.where(valid, level.variance(pattern), 0.0)
    reach = grid.size - 1 - grid.origin
    if grid.layout == "quadrant":
        full = np.zeros((3, 2 * reach + 1, reach + 1))
        full[0, reach:], full[1, reach:], full[2, reach:] = values, valid, variance
        total, count, spread = full
    else:
        stack = np.stack([values, valid.astype(np.float64), variance])
        right, left = stack[:, :, reach:], stack[:, ::-1, reach::-1]
        total, count, spread = right + left
    known = count > 0
    known[: reach + 1, 0] = False
    if level.noise == "poisson":
        exposure = np.maximum(count, 1.0)
        intensity = total
    else:
        # Both halves of a simulated pattern are the same numbers: the mean gains nothing on them.
        exposure = np.ones_like(count)
        divisor = np.maximum(count, 1.0)
        intensity, spread = total / divisor, spread / divisor
    return HalfPlane(grid.step, np.where(known, intensity, 0.0), known, exposure, spread, level)

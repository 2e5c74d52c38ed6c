"""The lattice that a network's strides draw into its maps, whatever the pattern shows.

A convolution with stride 2 looks at every second pixel oftener than at its neighbours; five of them
leave a grid of 32 pixels. It says something of the architecture and nothing of the sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

Array = NDArray[np.float64]

#: Products of strides that are usual in convolutional networks [pixels].
PERIODS = (2, 4, 8, 16, 32)
#: Periods that a map must hold along each axis, so that a lattice is told from a few bumps.
_LEAST = 4


@attrs.frozen(eq=False)
class Lattice:
    """How much of a mean map's fine structure repeats with a period, for each period.

    `share` is the share of its power at the period's frequencies along both axes, `control` the
    same for the network with random weights (NaN without one), `even` what a map without any
    lattice would have: all (periods,). Periods too long for the map have NaN.
    """

    period: Array
    share: Array
    control: Array
    even: Array

    @property
    def strongest(self) -> int | None:
        """Place of the period that stands out most, or None where none could be measured."""
        excess = (self.share - self.even) / (1 - self.even)
        return None if np.isnan(excess).all() else int(np.nanargmax(excess))


def lattice_share(mean_map: ArrayLike, period: int) -> tuple[float, float]:
    """Return the share of a map's fine structure at the frequencies of `period`, and an even one's.

    Fine structure is the map over its mean within a square of `period` pixels, less 1; its power
    at the multiples of 1 / period along both axes, without the constant, is held against all of it.

    Parameters
    ----------
    mean_map : array, (ny, nx)
        Mean magnitude of many maps, which must not be negative.
    period : int
        Of the lattice [pixels].

    Returns
    -------
    share, even : float
        NaN where the map is smaller than four periods, or has no structure.
    """
    values = np.asarray(mean_map, dtype=np.float64)
    rows, columns = (n // period for n in values.shape)
    if min(rows, columns) < _LEAST:
        return np.nan, np.nan
    smooth = ndimage.uniform_filter(values, period, mode="reflect")
    fine = values / np.where(smooth > 0, smooth, np.inf) - 1
    fine = fine[: rows * period, : columns * period]
    power = np.abs(np.fft.fft2(fine)) ** 2
    power[0, 0] = 0.0
    total = power.sum()
    if total <= 0:
        return np.nan, np.nan
    return float(power[::rows, ::columns].sum() / total), (period**2 - 1) / (power.size - 1)


def lattice_of(
    mean_map: ArrayLike, control: ArrayLike | None = None, periods: Sequence[int] = PERIODS
) -> Lattice:
    """Return the lattice of a mean map (ny, nx), and that of the network with random weights.

    A map that is made of windows has NaN for every period: what repeats in it are the windows.
    """
    windows = _has_windows(np.asarray(mean_map))
    own = [(np.nan, np.nan) if windows else lattice_share(mean_map, p) for p in periods]
    blind = [np.nan if control is None else lattice_share(control, p)[0] for p in periods]
    shares, even = np.array(own).T
    return Lattice(np.array(periods, dtype=np.float64), shares, np.array(blind), even)


def _has_windows(values: NDArray[Any]) -> bool:
    """Return whether most pixels of a map equal their neighbour to the last bit, where it is not 0.

    That of gradients hardly ever do.
    """
    here, there = values[:, 1:], values[:, :-1]
    shown = here != 0
    return bool(np.mean(here[shown] == there[shown]) > 0.5) if shown.any() else False

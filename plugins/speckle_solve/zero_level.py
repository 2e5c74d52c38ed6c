"""The value of zero intensity, the unit, and what noise the numbers themselves give away.

A standardized pattern has lost its zero, but its blocked centre still holds it. Counts are
recognised by lying on a lattice, whatever was done to them; else what is left is rounding.
"""

from __future__ import annotations

from typing import Any, Literal

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core import KGrid, PatternError

Floats = NDArray[np.floating[Any]]
Noise = Literal["none", "rounding", "poisson"]

#: A block of fewer pixels may be chance, above all where counts are low.
_LEAST_BLOCK = 9
# Counts are taken as such if every intensity is this near to a whole number of quanta, and if the
# quantum is so many roundings wide that this says something.
_NEAR, _ROUNDINGS = 0.1, 30.0


@attrs.frozen
class Level:
    """Zero and unit of a pattern.

    Parameters
    ----------
    offset : float
        The value of zero intensity.
    certain : bool
        Whether the offset was read from blocked pixels (or the pattern is raw) or only guessed.
    unit : float
        One count, or the mean intensity.
    noise : {"none", "rounding", "poisson"}
        The kind of noise.
    epsilon : float
        Relative rounding of the numbers.
    """

    offset: float
    certain: bool
    unit: float
    noise: Noise
    epsilon: float

    def variance(self, pattern: Floats) -> NDArray[np.float64]:
        """Return the variance of rounding of each pixel, in units squared, (ny, nx).

        A number was rounded as it stands, and once before, as a raw intensity.
        """
        if self.noise == "poisson":
            return np.zeros(pattern.shape)
        value = np.abs(np.asarray(pattern, dtype=np.float64))
        raw = np.abs(pattern - self.offset)
        spacing = np.hypot(value, raw) * self.epsilon
        squares: NDArray[np.float64] = (spacing / self.unit) ** 2 / 12
        return squares


def block(pattern: Floats, grid: KGrid) -> tuple[slice, slice] | None:
    """Return the largest rectangle about k = 0 whose pixels are all equal, or None.

    A rectangle rather than any connected region: with few photons empty pixels touch the block.
    """
    origin, size = grid.origin, grid.size
    value = pattern[origin, origin]
    half = [0, 0]

    def window(y: int, x: int) -> tuple[slice, slice]:
        low_y, low_x = max(origin - y, 0), max(origin - x, 0)
        return slice(low_y, min(origin + y + 1, size)), slice(low_x, min(origin + x + 1, size))

    growing = True
    while growing:
        growing = False
        for grown in ([half[0] + 1, half[1] + 1], [half[0] + 1, half[1]], [half[0], half[1] + 1]):
            if max(grown) < size and bool(np.all(pattern[window(*grown)] == value)):
                half, growing = grown, True
                break
    found = window(*half)
    return found if pattern[found].size >= _LEAST_BLOCK else None


def level_of(pattern: Floats, valid: NDArray[np.bool_], blocked: Floats | None) -> Level:
    """Return zero and unit of a `pattern` (ny, nx), from its `valid` pixels and the blocked ones.

    Raises
    ------
    PatternError
        When no valid pixel differs from the others.
    """
    values = np.asarray(pattern[valid], dtype=np.float64)
    low, high = float(values.min()), float(values.max())
    if low == high:
        raise PatternError(
            f"every valid pixel is {low:g}",
            where="solve",
            hint="An empty frame or a closed shutter looks like this.",
        )
    single = bool(np.all(values == values.astype(np.float32)))
    epsilon = float(np.finfo(np.float32 if single else np.float64).eps)
    whole = bool(np.all(values == np.rint(values)))
    offset, certain = 0.0, True
    if blocked is not None and np.isfinite(blocked).all():
        zero = float(blocked.flat[0])
        if zero <= low and (low < 0 or not whole):
            offset = zero
    if offset > low:
        offset, certain = low, False
    if whole and offset == 0:
        return Level(0.0, certain, 1.0, "poisson", epsilon)
    quantum = _quantum(values - offset, epsilon * abs(offset), epsilon)
    if quantum is not None:
        return Level(offset, certain, quantum, "poisson", epsilon)
    unit = float(np.mean(values) - offset)
    return Level(offset, certain, unit, "rounding" if single else "none", epsilon)


def _quantum(above: Floats, absolute: float, relative: float) -> float | None:
    """Return the spacing of the lattice that all of `above` (≥ 0) lie on, or None."""
    positive = np.unique(above[above > 4 * absolute])
    if len(positive) == 0:
        return None
    for share in (1, 2, 3):
        quantum = float(positive[0]) / share
        if quantum < _ROUNDINGS * absolute:
            return None
        # From the smallest up, each nearly whole multiple makes the quantum more exact.
        for value in positive:
            times = value / quantum
            if abs(times - round(times)) > _NEAR + relative * times:
                break
            quantum = value / round(times)
        else:
            return quantum
    return None

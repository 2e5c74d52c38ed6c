"""From k space to maps of real space, over the window that matters and no more.

A matrix for each axis instead of an FFT: the window is the box (or twice it), not the period
2π/step, which is nine boxes wide on the authors' grid; pixels are as fine as asked for.
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


@attrs.frozen(eq=False)
class Window:
    """A square window of real space and the transform onto it.

    Parameters
    ----------
    first : float
        Coordinate of the first pixel along either axis [length].
    pixel : float
        Distance of pixels [length].
    size : int
        Pixels along each side.
    """

    first: float
    pixel: float
    size: int
    _x: NDArray[np.float32] = attrs.field(repr=False)
    _y: NDArray[np.complex64] = attrs.field(repr=False)

    @classmethod
    def of(cls, ky: Floats, kx: Floats, first: float, pixel: float, size: int) -> Window:
        """Return the window for a half plane with axes `ky` (rows,) and `kx` ≥ 0 (columns,)."""
        place = first + pixel * np.arange(size)
        phase = np.outer(kx, place)
        # Real part of T exp(i kx x), as one real product over [Re T, Im T].
        wave = np.concatenate([np.cos(phase), -np.sin(phase)]).astype(np.float32)
        column = np.exp(1j * np.outer(place, ky)).astype(np.complex64)
        return cls(first, pixel, size, wave, column)

    def map(self, half: Floats | NDArray[np.complexfloating[Any, Any]]) -> NDArray[np.float32]:
        """Return Σ Re[half(k) exp(i k·r)] over the half plane, (size, size) indexed [y, x]."""
        if np.iscomplexobj(half):
            rows = self._y @ half.astype(np.complex64)
            parts = np.concatenate([rows.real, rows.imag], axis=1)
        else:
            values = half.astype(np.float32)
            parts = np.concatenate([self._y.real @ values, self._y.imag @ values], axis=1)
        out: NDArray[np.float32] = parts @ self._x
        return out

    def index(self, place: Floats) -> NDArray[np.intp]:
        """Return the nearest pixel of coordinates `place` [length]."""
        return np.asarray(np.rint((np.asarray(place) - self.first) / self.pixel), dtype=np.intp)


def summit(values: NDArray[np.float32], y: int, x: int) -> tuple[float, float]:
    """Return where between its pixels the peak at [y, x] is highest, as fractional (y, x).

    A parabola through three pixels along each axis; at the rim of the map the pixel itself.
    """
    place = []
    for index, line in ((y, values[:, x]), (x, values[y])):
        offset = 0.0
        if 0 < index < len(line) - 1:
            before, here, after = (float(v) for v in line[index - 1 : index + 2])
            bend = before - 2 * here + after
            if np.isfinite(bend) and bend < 0:
                offset = float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5))
        place.append(index + offset)
    return place[0], place[1]


def peaks(values: NDArray[np.float32], count: int, lowest: float) -> NDArray[np.intp]:
    """Return the highest local maxima above `lowest`, at most `count`, as rows (y, x)."""
    inner = values[1:-1, 1:-1]
    y, x = np.nonzero(inner > lowest)
    here = inner[y, x]
    top = np.ones(len(y), dtype=bool)
    for dy in (0, 1, 2):
        for dx in (0, 1, 2):
            if (dy, dx) != (1, 1):
                top &= here >= values[y + dy, x + dx]
    y, x, here = y[top], x[top], here[top]
    order = np.argsort(-here, kind="stable")[:count]
    return np.stack([y[order] + 1, x[order] + 1], axis=1)

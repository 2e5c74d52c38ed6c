"""Symmetry shared by both scatterers: four real sums over one quadrant instead of a complex sum.

``exp(-i k·r) = (cos kx·x - i sin kx·x)(cos ky·y - i sin ky·y)``, and the sign of kx or ky changes
only the sign of a sine. So the sums of the four products on one quadrant of k space give all four
quadrants.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from speckle_core import ComplexArray, FloatArray, KGrid

Floats = NDArray[np.float64]

#: BLAS distributes products of more multiplications than this over threads, which changes the last
#: bits (OpenBLAS: 4 · 65536). Smaller products give the same bytes with any number of threads.
UNSPLIT = 1 << 18


class Scratch(threading.local):
    """Arrays whose memory is used again for the next pattern, in each thread its own.

    A fresh page takes longer than the arithmetic on its numbers.
    """

    _MOST_BYTES = 1 << 25

    def __init__(self) -> None:
        self._kept: dict[Hashable, NDArray[Any]] = {}
        self._bytes = 0

    def array(
        self, name: Hashable, shape: tuple[int, ...], dtype: DTypeLike = np.float64
    ) -> NDArray[Any]:
        """Return the array called `name`, which is always of one type; its values are undefined."""
        size, kept = math.prod(shape), self._kept.get(name)
        if kept is not None and kept.size >= size:
            return kept[:size].reshape(shape)
        new = np.empty(size, dtype)
        freed = 0 if kept is None else kept.nbytes
        if self._bytes + new.nbytes - freed <= self._MOST_BYTES:
            self._kept[name] = new
            self._bytes += new.nbytes - freed
        return new.reshape(shape)


#: Of all scatterers.
SCRATCH = Scratch()


def side(grid: KGrid) -> int:
    """Return m, the number of k ≥ 0 along one axis."""
    return grid.size - grid.origin


def waves(positions: FloatArray, grid: KGrid) -> Floats:
    """Return cos and sin of k·position for k ≥ 0, (2, m, len(positions)), to about 1e-15; a view.

    ``exp(i(s + j)t) = exp(i s t) exp(i j t)`` doubles the known values by products, so few
    exponentials are computed; each power of two has its own, so errors do not accumulate.
    The next call overwrites them.
    """
    m = side(grid)
    turned = SCRATCH.array("waves", (m, len(positions)), np.complex128)
    turned[0] = 1
    known = 1
    for turn in _turns(np.asarray(positions, dtype=np.float64), m, grid.step):
        new = min(known, m - known)
        np.multiply(turned[:new], turn, out=turned[known : known + new])
        known += new
    return turned.view(np.float64).reshape(*turned.shape, 2).transpose(2, 0, 1)


def _turns(positions: Floats, m: int, step: float) -> NDArray[np.complex128]:
    """Return ``exp(i s step position)`` for s = 1, 2, 4 … below m, (powers, len(positions))."""
    powers = 2.0 ** np.arange((m - 1).bit_length())
    angles = np.multiply.outer(powers, step * positions)
    turns = np.empty(angles.shape, dtype=np.complex128)
    # Far faster than the exponential of complex numbers.
    np.cos(angles, out=turns.real)
    np.sin(angles, out=turns.imag)
    return turns


def is_real(contrast: ComplexArray | FloatArray) -> bool:
    """Return whether no contrast has an imaginary part."""
    return contrast.dtype.kind != "c" or not np.any(contrast.imag)


def parts(contrast: ComplexArray | FloatArray) -> Floats:
    """Return the real and, if there is one, the imaginary part of `contrast`, (1 or 2, n)."""
    if is_real(contrast):
        return np.asarray(contrast.real, dtype=np.float64)[None]
    return np.stack([contrast.real, contrast.imag])


def amplitude(sums: Floats, block: slice, grid: KGrid, out: NDArray[np.complex128]) -> None:
    """Write A to the rows of `out` (ny, nx) that lie on `block` or mirror it.

    Parameters
    ----------
    sums : array, (1 or 2, 2, 2, rows, m)
        For the real and, if present, the imaginary part of the contrast: Σ c·F·f(ky·y)·g(kx·x), as
        ((cos cos, cos sin), (sin sin, sin cos)), the function of y first.
    block : slice
        Which ky ≥ 0 the rows of `sums` are, of m.
    grid : KGrid
        The grid.
    out : array
        The amplitude on the whole grid.
    """
    (cc, cs), (ss, sc) = sums[0] if len(sums) == 1 else sums[0] + 1j * sums[1]
    for sign_y, rows in _signs(grid):
        for sign_x, columns in _signs(grid):
            out[rows, columns][block] = (cc - sign_y * sign_x * ss) - 1j * (
                sign_x * cs + sign_y * sc
            )


def _signs(grid: KGrid) -> list[tuple[int, slice]]:
    """Return (sign of k, pixels with that sign from 0 outwards)."""
    if grid.layout == "quadrant":
        return [(1, slice(None))]
    return [(1, slice(grid.origin, None)), (-1, slice(grid.origin, None, -1))]


def intensity(sums: Floats, block: slice, grid: KGrid, out: NDArray[np.float32]) -> None:
    """Write |A|² as `amplitude` writes A, for a real contrast: the same numbers, rounded.

    `sums` is overwritten.
    """
    cosines, sines = sums[0]
    o = grid.origin
    # cc - ss and cs - sc, cc + ss and cs + sc: of both pairs, one belongs to kx ≥ 0.
    minus, plus = SCRATCH.array("minus", cosines.shape), cosines
    np.subtract(cosines, sines, out=minus)
    np.add(cosines, sines, out=plus)
    np.multiply(minus, minus, out=minus)
    np.multiply(plus, plus, out=plus)
    left, right = np.add(plus, minus[::-1], out=plus)
    upper = out[o:][block]
    upper[:, o:] = right
    if grid.layout == "centered":
        # Rounded before it is reversed, since reversing takes longer the more bytes there are.
        rounded = SCRATCH.array("rounded", left.shape, np.float32)
        rounded[...] = left
        upper[:, o::-1] = rounded
        # Friedel's law: a real contrast gives I(-k) = I(k), so the pixels below ky = 0, in memory
        # one run, are those above it backwards.
        first = max(block.start, 1)
        above = upper[first - block.start :].reshape(-1)
        pixels, end = out.reshape(-1), (o - first + 1) * grid.size
        pixels[end - above.size : end] = above[::-1]

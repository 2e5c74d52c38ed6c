"""Symmetry shared by both scatterers: four real sums over one quadrant instead of a complex sum.

``exp(-i k·r) = (cos kx·x - i sin kx·x)(cos ky·y - i sin ky·y)``, and the sign of kx or ky changes
only the sign of a sine. So the sums of the four products on one quadrant of k space give all four
quadrants.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from speckle_core import ComplexArray, FloatArray, KGrid

Floats = NDArray[np.float64]

#: BLAS distributes products of more multiplications than this over threads, which changes the last
#: bits (OpenBLAS: 4 · 65536). Smaller products give the same bytes with any number of threads.
UNSPLIT = 1 << 18


def side(grid: KGrid) -> int:
    """Return m, the number of k ≥ 0 along one axis."""
    return grid.size - grid.origin


def waves(positions: FloatArray, grid: KGrid) -> Floats:
    """Return cos and sin of k·position for k ≥ 0, (2, len(positions), m), to about 1e-15; a view.

    ``exp(i(s + j)t) = exp(i s t) exp(i j t)`` doubles the known values by products, so few
    exponentials are computed; each power of two has its own, so errors do not accumulate.
    """
    m = side(grid)
    turned = np.empty((len(positions), m), dtype=np.complex128)
    turned[:, 0] = 1
    turn = 1j * grid.step * np.asarray(positions, dtype=np.float64)[:, None]
    known = 1
    while known < m:
        new = min(known, m - known)
        np.multiply(turned[:, :new], np.exp(known * turn), out=turned[:, known : known + new])
        known += new
    return turned.view(np.float64).reshape(*turned.shape, 2).transpose(2, 0, 1)


def parts(contrast: ComplexArray | FloatArray) -> Floats:
    """Return the real and, if there is one, the imaginary part of `contrast`, (1 or 2, n)."""
    if np.iscomplexobj(contrast) and np.any(contrast.imag):
        return np.stack([contrast.real, contrast.imag])
    return np.asarray(contrast.real, dtype=np.float64)[None]


def amplitude(sums: Floats, block: slice, grid: KGrid, out: NDArray[np.complex128]) -> None:
    """Write A to the rows of `out` (ny, nx) that lie on `block` or mirror it.

    Parameters
    ----------
    sums : array, (1 or 2, 2, 2, rows, m)
        For the real and, if present, the imaginary part of the contrast: Σ c·F·f(ky·y)·g(kx·x),
        indexed [part, f, g, y, x] with f, g in (cos, sin).
    block : slice
        Which ky ≥ 0 the rows of `sums` are, of m.
    grid : KGrid
        The grid.
    out : array
        The amplitude on the whole grid.
    """
    (cc, cs), (sc, ss) = sums[0] if len(sums) == 1 else sums[0] + 1j * sums[1]
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
    """Write |A|² as `amplitude` writes A, for a real contrast: the same numbers, rounded."""
    (cc, cs), (sc, ss) = sums[0]
    o = grid.origin
    right = (cc - ss) ** 2
    right += (cs + sc) ** 2
    upper = out[o:][block]
    upper[:, o:] = right
    if grid.layout == "centered":
        left = (cc + ss) ** 2
        left += (sc - cs) ** 2
        upper[:, o::-1] = left
        # Friedel's law: a real contrast gives I(-k) = I(k).
        lower = out[o::-1][block]
        lower[:, o:] = left
        lower[:, o::-1] = right

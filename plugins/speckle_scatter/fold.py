"""The algebra both scatterers share: four real sums instead of one complex sum per quadrant.

``exp(-i k·r) = (cos kx·x - i sin kx·x)(cos ky·y - i sin ky·y)``, and the sign of kx or ky flips
nothing but a sine: with the sums of the four products kept apart, one quadrant of k space holds all
four. Nothing here knows what is summed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from speckle_core import ComplexArray, FloatArray, KGrid

#: BLAS splits products of more multiplications than this over its threads, which changes the last
#: bits (OpenBLAS: 4 · 65536). Smaller ones give the same bytes with any number of threads.
UNSPLIT = 1 << 18


def side(grid: KGrid) -> int:
    """Return m, the number of k ≥ 0 along one axis."""
    return grid.size - grid.origin


def waves(positions: FloatArray, grid: KGrid) -> NDArray[np.float64]:
    """Return cos and sin of k·position for k ≥ 0, (len(positions), 2, m)."""
    phase = np.multiply.outer(positions, grid.axis[grid.origin :])
    out = np.empty((len(positions), 2, side(grid)))
    np.cos(phase, out=out[:, 0])
    np.sin(phase, out=out[:, 1])
    return out


def parts(contrast: ComplexArray | FloatArray) -> NDArray[np.float64]:
    """Return the real and, if there is one, the imaginary part of `contrast`, (1 or 2, n)."""
    if np.iscomplexobj(contrast) and np.any(contrast.imag):
        return np.stack([contrast.real, contrast.imag])
    return np.asarray(contrast.real, dtype=np.float64)[None]


def amplitude(
    sums: NDArray[np.float64], block: slice, grid: KGrid, out: NDArray[np.complex128]
) -> None:
    """Write A to the rows of `out` (ny, nx) that lie on `block` or mirror it.

    Parameters
    ----------
    sums : array, (1 or 2, rows, 2, 2, m)
        For the real and, if present, the imaginary part of the contrast: Σ c·F·f(ky·y)·g(kx·x),
        indexed [part, y, f, g, x] with f, g in (cos, sin).
    block : slice
        Which ky ≥ 0 the rows of `sums` are, of m.
    grid : KGrid
        The grid.
    out : array
        The amplitude on the whole grid.
    """
    total = sums[0] if len(sums) == 1 else sums[0] + 1j * sums[1]
    (cc, cs), (sc, ss) = total.transpose(1, 2, 0, 3)
    for sign_y, rows in _signs(grid):
        for sign_x, columns in _signs(grid):
            out[rows, columns][block] = (cc - sign_y * sign_x * ss) - 1j * (
                sign_x * cs + sign_y * sc
            )


def _signs(grid: KGrid) -> list[tuple[int, slice]]:
    """Return (sign of k, the pixels where k has it, from 0 outwards)."""
    if grid.layout == "quadrant":
        return [(1, slice(None))]
    return [(1, slice(grid.origin, None)), (-1, slice(grid.origin, None, -1))]


def intensity(
    sums: NDArray[np.float64], block: slice, grid: KGrid, out: NDArray[np.float32]
) -> None:
    """Write |A|² as `amplitude` writes A, for a real contrast: the same numbers, rounded."""
    (cc, cs), (sc, ss) = sums[0].transpose(1, 2, 0, 3)
    o = grid.origin
    upper = out[o:][block]
    upper[:, o:] = (cc - ss) ** 2 + (cs + sc) ** 2
    if grid.layout == "centered":
        upper[:, o::-1] = (cc + ss) ** 2 + (sc - cs) ** 2
        # Friedel's law: a real contrast gives I(-k) = I(k).
        out[o::-1][block] = upper[:, ::-1]

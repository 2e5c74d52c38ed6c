"""The authors' way from disks to a pattern, written anew from what their code does.

A raster of hard edges, zeros around it, one FFT, the middle of its squared modulus. Nothing of the
framework is used here: this is what the framework is held against.
"""

from __future__ import annotations

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike, NDArray

#: Pixels of side 1 along the raster, the first at 0 and the last at the box's side of 2000.
PIXELS = 2001
#: Pixels of zero on each of its four sides.
PADDING = 8000


def raster(centers: ArrayLike, radii: ArrayLike, pixels: int = PIXELS) -> NDArray[np.float64]:
    """Return 1 where a pixel's place is at most a radius away from its centre, else 0, as [y, x].

    `centers` (n, 2) as x, y and `radii` (n,) are in pixels.
    """
    y, x = np.ogrid[:pixels, :pixels]
    drawn = np.zeros((pixels, pixels))
    for (cx, cy), radius in zip(np.asarray(centers), np.asarray(radii), strict=True):
        drawn[np.sqrt((x - cx) ** 2 + (y - cy) ** 2) <= radius] = 1
    return drawn


def pattern(
    drawn: NDArray[np.generic], padding: int, size: int, workers: int = 1
) -> NDArray[np.float64]:
    """Return the `size` x `size` pixels about k = 0 of the padded raster's squared FFT.

    The step in k is 2π / (pixels + 2 `padding`).
    """
    spectrum = scipy.fft.fft2(np.pad(drawn, padding), overwrite_x=True, workers=workers)
    # Index -1 is k = -1 step: the same pixels as the middle after a shift, without a second copy.
    near = np.arange(size) - size // 2
    return np.abs(spectrum[np.ix_(near, near)]) ** 2

"""`fft`: a raster of the box, transformed at exactly the k of the grid.

The result equals that of a zero-padded FFT of the raster with the grid's step, but only the pixels
of the grid are computed, and only from raster pixels that a body can touch. It differs from
`analytic` because edges are rounded to whole pixels, not because of the transform.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core import Configuration, FloatArray, KGrid, OptionError, Particles, Scatterer
from speckle_scatter import fold

Floats = NDArray[np.float64]


def _check_pixels(_: object, __: object, value: int) -> None:
    if value < 2:
        raise OptionError(f"a raster needs at least 2 pixels per side, not {value}", where="pixels")


@functools.lru_cache(maxsize=2)
def _kernel(box: float, pixels: int, grid: KGrid) -> Floats:
    """Return cos and sin of k times the position of every pixel along one axis, (pixels, 2m)."""
    places = np.linspace(0.0, box, pixels)
    # A copy, since the next call overwrites the waves.
    kernel = np.array(fold.waves(places, grid).transpose(2, 0, 1)).reshape(pixels, -1)
    kernel.flags.writeable = False
    return kernel


@attrs.frozen(kw_only=True)
class Fft(Scatterer):
    """Transform of the box as a raster of point pixels.

    Parameters
    ----------
    pixels : int
        Pixels along each side, the first at 0 and the last at the side of the box: 2001 pixels in a
        box of 2000 are at the integers, as in the authors' code.

    Raises
    ------
    OptionError
        For fewer than 2 pixels.

    Notes
    -----
    ``A(k) = h² Σ ρ(x, y) exp(-i k·r)`` with the pixel size h = box / (pixels - 1) and ρ the
    density times contrast at the pixel. Overlapping bodies add up, and parts outside the box are
    cut off. Patterns repeat along k with period 2π/h.
    """

    pixels: int = attrs.field(default=2001, validator=_check_pixels)

    def amplitude(self, configuration: Configuration, grid: KGrid) -> NDArray[np.complex128]:
        """Return A(k), complex (ny, nx) [area]."""
        out = np.empty(grid.shape, dtype=np.complex128)
        fold.amplitude(self._sums(configuration, grid), slice(None), grid, out)
        return out

    def intensities(
        self, configurations: Sequence[Configuration], grid: KGrid
    ) -> NDArray[np.float32]:
        """Return |A|² of every configuration, float32 (B, ny, nx) [area²]."""
        out = np.empty((len(configurations), *grid.shape), dtype=np.float32)
        for configuration, pattern in zip(configurations, out, strict=True):
            pattern[...] = self.intensity(configuration, grid)
        return out

    def _sums(self, configuration: Configuration, grid: KGrid) -> Floats:
        """Return the four sums over the raster; see `fold.amplitude`.

        Rows are transformed first, body by body, then the columns of all rows that contain a body.
        """
        kernel = _kernel(configuration.box, self.pixels, grid)
        contrasts = [fold.parts(particles.contrast) for particles in configuration.particles]
        lines = np.zeros((max(map(len, contrasts), default=1), *kernel.shape))
        touched = np.zeros(self.pixels, dtype=bool)
        for particles, contrast in zip(configuration.particles, contrasts, strict=True):
            for i in range(len(particles)):
                rows, columns, density = self._patch(particles, i, configuration.box)
                touched[rows] = True
                for weight, line in zip(contrast[:, i], lines, strict=False):
                    _add_product(density * weight, kernel[columns], line[rows])
        m = fold.side(grid)
        sums = np.zeros((len(lines), 2 * m, 2 * m))
        for line, out in zip(lines, sums, strict=True):
            _add_product(kernel[touched].T, line[touched], out)
        pixel = configuration.box / (self.pixels - 1)
        sums *= pixel**2
        ordered = sums.reshape(-1, 2, m, 2, m).transpose(0, 1, 3, 2, 4)
        ordered[:, 1] = ordered[:, 1, ::-1]
        return ordered

    def _patch(self, particles: Particles, i: int, box: float) -> tuple[slice, slice, FloatArray]:
        """Return the rows and columns that body `i` can touch, and its density there."""
        pixel = box / (self.pixels - 1)
        reach = particles.bounding_radii[i]
        spans = []
        for center in particles.centers[i]:
            # One extra pixel, since a rim may coincide with a pixel up to rounding.
            first = math.floor((center - reach) / pixel) - 1
            last = math.ceil((center + reach) / pixel) + 1
            spans.append(slice(max(first, 0), max(min(last + 1, self.pixels), 0)))
        columns, rows = spans
        places = np.linspace(0.0, box, self.pixels)
        x, y = np.broadcast_arrays(places[columns], places[rows, None])
        return rows, columns, particles.density(i, x, y)


def _add_product(left: Floats, right: Floats, out: Floats) -> None:
    """Add the matrix product of (r, k) and (k, c) to `out` (r, c).

    It uses tiles that depend on the shapes only and are too small for BLAS to use threads.
    """
    depth, columns = right.shape
    inner = 64
    rows = max(1, fold.UNSPLIT // (inner * columns))
    for start in range(0, depth, inner):
        for top in range(0, len(left), rows):
            out[top : top + rows] += (
                left[top : top + rows, start : start + inner] @ right[start : start + inner]
            )

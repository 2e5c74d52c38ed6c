"""Azimuthal means over rings about k = 0, and the edge of the central lobe.

Analysis, figures and classifiers all use these rings. No particle radius is assumed: the edge of
the lobe is found in the data.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from speckle_core.contracts.grid import KGrid

Array = NDArray[np.float64]


def ring_k(grid: KGrid) -> Array:
    """Return the k of each ring, one pixel wide, that lies completely on the grid, (rings,)."""
    return np.arange(grid.size - grid.origin, dtype=np.float64) * grid.step


def azimuthal_mean(
    images: ArrayLike, grid: KGrid, *, region: NDArray[np.bool_] | None = None
) -> Array:
    """Return the mean of each image (B, ny, nx) over each ring about k = 0, (B, rings).

    A pixel belongs to the ring to which its distance from k = 0 rounds. Rings that are cut by the
    border are left out. With a `region` (ny, nx), only its pixels count; a ring without any gives
    NaN.
    """
    return _ring_means(np.asarray(images), grid, region)[:, : grid.size - grid.origin]


def azimuthal_fill(images: ArrayLike, grid: KGrid) -> Array:
    """Return each image with every pixel replaced by the mean of its ring, (B, ny, nx)."""
    return _ring_means(np.asarray(images), grid)[:, _ring(grid)]


def friedel_correlation(
    images: ArrayLike, grid: KGrid, *, region: NDArray[np.bool_] | None = None
) -> Array:
    """Return how well each image (B, ny, nx) keeps I(-k) = I(k) beyond its rings, (B,).

    It is the correlation of the roots of the intensities at k and -k, the mean of their ring taken
    off: 1 for any sample of real density, less by as much as photons are few, and about 0 where
    k = 0 is not in the middle pixel. The inner eighth of the radius is left out, where a beamstop
    may be.

    Parameters
    ----------
    images : array, (B, ny, nx)
        Intensities up to an offset and a factor.
    grid : KGrid
        Centred; on another grid -k is not seen, and the result is NaN.
    region : array of bool, (B, ny, nx), optional
        Pixels that count; of a pair both must, and without a tenth of all pairs the result is NaN.
    """
    values = np.asarray(images, dtype=np.float64)
    found = np.full(len(values), np.nan)
    if grid.layout != "centered":
        return found
    outside = grid.distance() > grid.size / 16
    ring = _ring(grid)
    for index, image in enumerate(values):
        pairs = outside if region is None else outside & region[index] & region[index][::-1, ::-1]
        if np.count_nonzero(pairs) < 0.1 * np.count_nonzero(outside):
            continue
        rest = _beyond_rings(image, ring, pairs)
        power = float(np.sum(rest**2))
        found[index] = np.sum(rest * rest[::-1, ::-1]) / power if power > 0 else np.nan
    return found


def best_friedel_correlation(
    images: ArrayLike, grid: KGrid, *, region: NDArray[np.bool_] | None = None, reach: int = 4
) -> Array:
    """Return the largest `friedel_correlation` about any centre within `reach` pixels, (B,).

    A centre that is a little off does not lower it, as photon noise does. Centres are tried at half
    pixels, all at once by a Fourier transform: sum over k of f(k) f(c - k) is a convolution. Pixels
    at the edges wrap around, one row in a hundred at most.
    """
    values = np.asarray(images, dtype=np.float64)
    found = np.full(len(values), np.nan)
    if grid.layout != "centered":
        return found
    outside = grid.distance() > grid.size / 16
    ring = _ring(grid)
    centers = (2 * grid.origin + np.arange(-2 * reach, 2 * reach + 1)) % grid.size
    for index, image in enumerate(values):
        known = outside if region is None else outside & region[index]
        if np.count_nonzero(known) < 0.1 * np.count_nonzero(outside):
            continue
        rest = _beyond_rings(image, ring, known)
        twice = np.fft.rfft2(rest) ** 2
        power = np.fft.rfft2(rest**2) * np.fft.rfft2(known.astype(np.float64))
        product, most = (
            np.fft.irfft2(both, s=grid.shape)[np.ix_(centers, centers)] for both in (twice, power)
        )
        if most.min() > 0:
            found[index] = np.max(product / most)
    return found


def _beyond_rings(
    image: NDArray[np.float64], ring: NDArray[np.int64], chosen: NDArray[np.bool_]
) -> Array:
    """Return the root of an intensity less its mean over each ring; 0 where not `chosen`."""
    root = np.sqrt(image - image.min())
    number = np.maximum(np.bincount(ring[chosen], minlength=int(ring.max()) + 1), 1)
    mean = np.bincount(ring[chosen], weights=root[chosen], minlength=len(number)) / number
    return np.where(chosen, root - mean[ring], 0.0)


def _ring(grid: KGrid) -> NDArray[np.int64]:
    return np.rint(grid.distance()).astype(np.int64)


def _ring_means(
    images: NDArray[np.floating], grid: KGrid, region: NDArray[np.bool_] | None = None
) -> Array:
    """Return the mean over every ring, including those in the corners."""
    chosen = slice(None) if region is None else region.ravel()
    rings = _ring(grid).ravel()
    ring, most = rings[chosen], int(rings.max()) + 1
    pixels = np.bincount(ring, minlength=most)
    counts = np.where(pixels > 0, pixels, np.nan)
    means = np.empty((len(images), most))
    for row, image in zip(means, images, strict=True):
        row[:] = np.bincount(ring, weights=image.ravel()[chosen], minlength=most) / counts
    return means


def first_minimum(profile: ArrayLike, k: ArrayLike, *, rise: float = 2.0) -> float:
    """Return the k of the first minimum of a mean intensity profile, the edge of the central lobe.

    Parameters
    ----------
    profile, k : array, (rings,)
        The azimuthal mean intensity of a class, over many patterns, and the k of its rings.
        Rings inside the largest value, such as a blocked centre, are skipped.
    rise : float
        The profile must rise to this multiple of the minimum. After a zero of a form factor it
        rises by a factor of hundreds; noise and the structure factor stay below 2.

    Returns
    -------
    float
        NaN if there is none, as for bodies of very different sizes.
    """
    from scipy import ndimage  # takes longer to import than a prediction

    values = np.asarray(profile, dtype=np.float64)
    # The forward peak of n bodies in a box has side lobes one or two rings wide; a median over five
    # rings removes those and keeps a form factor's minimum in place.
    smooth = ndimage.median_filter(values, size=5, mode="nearest")
    lowest = int(np.argmax(smooth))
    for ring in range(lowest, len(smooth)):
        if smooth[ring] < smooth[lowest]:
            lowest = ring
        elif smooth[ring] > rise * smooth[lowest]:
            near = max(lowest - 2, 0)
            return float(np.asarray(k)[near + np.argmin(values[near : lowest + 3])])
    return float("nan")

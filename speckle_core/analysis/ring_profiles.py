"""What rings and mirror images of patterns tell, whatever offset and factor they have been given.

Arrays in, arrays out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from speckle_core.analysis.azimuthal import azimuthal_mean
from speckle_core.contracts.arrays import FloatArray
from speckle_core.contracts.grid import KGrid

Array = NDArray[np.float64]
Masks = NDArray[np.bool_]
#: Pairs of k and -k without which a ring has no contrast.
_FEWEST_PAIRS = 8
#: Standard deviation of the smoothing that takes photon noise off [pixel].
_SMOOTH = 1.5


def ring_profiles(
    prepared: FloatArray, grid: KGrid, rings: int | None = None, valid: Masks | None = None
) -> Array:
    """Return the mean of each ring over that of all, and the log of the latter, (B, rings + 1).

    The means are those of valid pixels above the pattern's minimum; a ring without a valid pixel
    has that of its estimates.
    """
    lifted = prepared - prepared.min(axis=(1, 2), keepdims=True)
    if valid is None or valid.all():
        profiles = azimuthal_mean(lifted, grid)[:, :rings]
    else:
        profiles = np.concatenate(
            [_valid_means(image, grid, known) for image, known in zip(lifted, valid, strict=True)]
        )[:, :rings]
    scale = np.maximum(profiles.mean(axis=1, keepdims=True), 1e-30)
    return np.concatenate([profiles / scale, np.log(scale)], axis=1)


def _valid_means(image: FloatArray, grid: KGrid, known: Masks) -> Array:
    means = azimuthal_mean(image[None], grid, region=known)
    return np.where(np.isnan(means), azimuthal_mean(image[None], grid), means)


def ring_contrast(
    prepared: FloatArray, grid: KGrid, rings: int | None = None, measured: Masks | None = None
) -> Array:
    """Return the speckle contrast of each ring, <I(k) I(-k)> / <I>² - 1, (B, rings).

    It is the normalised variance of the intensity without that of photon noise, which is
    independent at k and -k: 1 - 1/n for n equal bodies, 1/M of that for M modes of a beam. NaN in
    rings of which too few pairs were `measured` (B, ny, nx), and on a grid that does not see -k.
    """
    most = grid.size - grid.origin
    found = np.full((len(prepared), most), np.nan)
    if grid.layout == "centered":
        ring = np.rint(grid.distance()).astype(np.int64)
        inside = ring < most
        for index, image in enumerate(prepared):
            pairs = inside
            if measured is not None:
                pairs = inside & measured[index] & measured[index][::-1, ::-1]
            light = image.astype(np.float64) - float(image.min())
            chosen = ring[pairs]
            number = np.bincount(chosen, minlength=most)
            mean = np.bincount(chosen, weights=light[pairs], minlength=most)
            product = (light * light[::-1, ::-1])[pairs]
            square = np.bincount(chosen, weights=product, minlength=most)
            enough = (number >= 2 * _FEWEST_PAIRS) & (mean > 0)
            found[index, enough] = (number * square)[enough] / mean[enough] ** 2 - 1
    return found[:, :rings]


def mirror_difference(prepared: FloatArray, grid: KGrid, measured: Masks | None = None) -> Array:
    """Return which share of the light above the least differs between k and -k, (B,).

    Patterns are smoothed, so that it is small for photon noise and large about a wrong centre. NaN
    on a grid that does not see -k, and where less than a tenth of the pairs was `measured`.
    """
    found = np.full(len(prepared), np.nan)
    if grid.layout != "centered":
        return found
    for index, image in enumerate(prepared):
        light = image - image.min()
        both = np.ones(grid.shape, dtype=bool)
        if measured is not None and not measured[index].all():
            known = measured[index]
            share = _smoothed(known.astype(np.float32))
            light = _smoothed(np.where(known, light, 0)) / np.maximum(share, 1e-6)
            both = known & known[::-1, ::-1]
        else:
            light = _smoothed(light)
        total = float(light[both].sum(dtype=np.float64))
        if np.mean(both) >= 0.1 and total > 0:
            apart = np.abs(light - light[::-1, ::-1])[both].sum(dtype=np.float64)
            found[index] = float(apart) / (2 * total)
    return found


def _smoothed(image: FloatArray) -> FloatArray:
    from scipy import ndimage  # takes longer to import than a prediction

    smooth: FloatArray = ndimage.gaussian_filter(image, _SMOOTH, truncate=2.0)
    return smooth

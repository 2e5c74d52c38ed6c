"""What becomes of an intensity before photons are counted: bandwidth, an unsteady centre, blur."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from speckle_core import KGrid

Array = NDArray[np.float64]
#: How far the spectrum is followed, in standard deviations; 1e-4 of the light lies beyond.
_REACH = 4.0
#: Largest step between two wavelengths at the corner of the grid [pixel].
_STEP = 0.7


def over_bandwidth(mean: Array, grid: KGrid, bandwidth: float) -> Array:
    """Return the mean (ny, nx) over wavelengths with a relative standard deviation `bandwidth`.

    A pixel sees k / (1 + ε) of a wavelength longer by the share ε. Beyond the grid the pattern is
    continued by its last pixels.
    """
    corner = math.sqrt(2) * float(np.abs(grid.indices).max())
    half = max(2, math.ceil(_REACH * bandwidth * corner / _STEP))
    apart = np.arange(-half, half + 1) * (_REACH / half)
    weights = np.exp(-(apart**2) / 2)
    weights /= weights.sum()
    splines = ndimage.spline_filter(mean, order=3)
    out = np.zeros_like(mean)
    for epsilon, weight in zip(apart * bandwidth, weights, strict=True):
        scale = 1 / (1 + epsilon)
        out += weight * ndimage.affine_transform(
            splines,
            [scale, scale],
            offset=grid.origin * (1 - scale),
            order=3,
            mode="nearest",
            prefilter=False,
        )
    # Splines overshoot where the intensity is about zero.
    return out.clip(min=0)


def moved(mean: Array, offset: Array) -> Array:
    """Return `mean` (ny, nx) moved by `offset` (y, x) [pixel]."""
    found: Array = ndimage.shift(mean, offset, order=3, mode="nearest").clip(min=0)
    return found


def blurred(mean: Array, width: float) -> Array:
    """Return `mean` (ny, nx) after a Gaussian point spread of deviation `width` [pixel]."""
    found: Array = ndimage.gaussian_filter(mean, width, mode="nearest")
    return found

"""What the azimuthal mean tells before any structure is known: the sizes of the bodies.

Averaged over angle a pattern is nearly Σ F_j², so a mixture of form factors fits it; the weights
say how large the bodies are and whether they are all alike.
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from speckle_core import RefinableShape
from speckle_solve.halfplane import HalfPlane
from speckle_solve.pixels import ring_mean

Floats = NDArray[np.floating[Any]]

_RADII = 48
#: Radii of the second fit, as shares of the first one's about it.
_WIDE = 0.8
# Floors of the weights, as shares of the brightest ring: above it misfits count relatively.
_LOBE, _RINGS = 0.01, 1e-3


@attrs.frozen(eq=False)
class Sizes:
    """Typical size of the bodies.

    Parameters
    ----------
    radius : float
        Mean over bodies, each weighed by its forward scattering [length].
    spread : float
        Standard deviation of the radii over their mean.
    profile : array, (rings,)
        The fitted azimuthal mean, one ring a pixel.
    """

    radius: float
    spread: float
    profile: NDArray[np.float64]


def sizes(half: HalfPlane, shape: RefinableShape, largest: float) -> Sizes:
    """Return what the azimuthal mean of `half` says of bodies no larger than `largest`."""
    mean = ring_mean(half)
    # Smaller bodies scatter evenly over all that was recorded, and could not be told apart.
    smallest = min(1 / (half.step * half.reach), largest / 10)
    # First the main lobe alone, over all radii; then finer, with the dark rings in it.
    rough = _mixture(half, shape, mean, np.geomspace(smallest, largest, _RADII), rough=True)
    low = max(rough.radius * (1 - _WIDE), min(smallest, rough.radius / 2))
    high = min(rough.radius * (1 + _WIDE), largest)
    return _mixture(half, shape, mean, np.linspace(low, high, _RADII), rough=False)


def _mixture(
    half: HalfPlane, shape: RefinableShape, mean: Floats, radii: Floats, *, rough: bool
) -> Sizes:
    """Return the mixture of `radii` that fits."""
    floor = _LOBE if rough else _RINGS
    used = np.flatnonzero(mean >= 0)
    # A ring is a pixel wide: three k in it stand for all.
    k = np.arange(len(mean)) * half.step
    forms = np.zeros((len(radii), len(mean)))
    for offset in (-1 / 3, 0.0, 1 / 3):
        at = np.abs(k + offset * half.step)
        forms += shape.form_factors(shape.start(radii), at, np.zeros_like(k))[0] ** 2 / 3
    forward = shape.form_factors(shape.start(radii), np.zeros(1), np.zeros(1))[0][:, 0]
    smooth = ring_mean(half, smooth=1.5)
    weight = np.sqrt(used + 0.5) / (smooth[used] + floor * np.nanmax(mean))
    design = forms[:, used].T * weight[:, None]
    length = np.maximum(np.sqrt(np.sum(design**2, axis=0)), 1e-300)
    solution, _ = nnls(design / length, mean[used] * weight, maxiter=50 * len(radii))
    share = solution / length
    heavy = share * np.abs(forward)
    if not heavy.sum() > 0:
        return Sizes(float(np.median(radii)), 1.0, np.nan_to_num(mean))
    if rough:
        # The median: some weight in far too small or large bodies fits the speckle of inner rings.
        centre = float(np.interp(0.5, np.cumsum(heavy) / heavy.sum(), radii))
    else:
        centre = float(np.sum(heavy * radii) / heavy.sum())
    spread = float(np.sqrt(np.sum(heavy * (radii - centre) ** 2) / heavy.sum())) / centre
    return Sizes(centre, spread, share @ forms)

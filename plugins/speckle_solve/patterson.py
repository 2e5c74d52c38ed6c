"""The Patterson map of a pattern: a peak at the vector between every two bodies.

A. L. Patterson, Phys. Rev. 46, 372 (1934). What is transformed is the intensity times a weight that
sharpens the peaks. ``sharp`` divides by the azimuthal mean, best where all bodies are alike;
``power`` is k^s exp(-k²/2κ²), which keeps the peaks of unlike bodies positive, since in its band
their form factors have one sign.
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_solve.halfplane import HalfPlane
from speckle_solve.maps import Window, peaks
from speckle_solve.sizes import Sizes

Floats = NDArray[np.floating[Any]]

# A pixel over this many times the azimuthal mean is division by almost nothing.
_HIGHEST = 30.0
# κ as a share of the reach: where the data end within the bodies' main lobe a smooth end matters.
_WIDEST = 0.45
# Peaks below this share of the highest are not vectors to start from.
_LOWEST = 0.1


@attrs.frozen
class Weighting:
    """One way to sharpen a Patterson map.

    Parameters
    ----------
    power : float
        s of k^s; negative divides by the azimuthal mean instead.
    width : float
        κ in units of 1 / (mean radius).
    """

    power: float
    width: float = 2.0

    @property
    def sharp(self) -> bool:
        """Whether the azimuthal mean is divided by."""
        return self.power < 0


@attrs.frozen(eq=False)
class PattersonMap:
    """A map over [-box, box]² in either axis, 1 at its origin.

    Parameters
    ----------
    values : array, (2 m + 1, 2 m + 1)
        The map, float32, r = 0 in the middle.
    pixel : float
        Distance of pixels [length].
    level : float
        Robust standard deviation of the background.
    """

    values: NDArray[np.float32]
    pixel: float
    level: float

    @property
    def middle(self) -> int:
        """Index m of r = 0 along either axis."""
        return int(self.values.shape[0]) // 2


def weights(half: HalfPlane, size: Sizes, weighting: Weighting, noise: float) -> Floats:
    """Return what each pixel's intensity is multiplied by, zero where unknown.

    `noise` is the variance of I over the mean of I (1 for counts, 0 without noise): pixels that
    hold more noise than signal weigh less, as Wiener's filter has it.
    """
    distance = half.distance()
    reach = float(half.reach)
    rings = np.interp(distance, np.arange(len(size.profile)), size.profile)
    out = (
        1 / np.maximum(rings, 1e-9 * rings.max()) if weighting.sharp else distance**weighting.power
    )
    if weighting.sharp:
        out *= np.maximum(1 - (distance / reach) ** 2, 0.0)
    else:
        width = min(weighting.width / (size.radius * half.step), _WIDEST * reach)
        out *= np.exp(-0.5 * (distance / width) ** 2)
    if noise > 0:
        out *= rings / (rings + noise)
    weighed: Floats = np.where(half.known, out / half.exposure, 0.0)
    return weighed


def patterson(
    half: HalfPlane, size: Sizes, weighting: Weighting, window: Window, noise: float
) -> PattersonMap:
    """Return the map of `half` on `window`, which is centred on r = 0."""
    weight = weights(half, size, weighting, noise)
    intensity = half.intensity
    if weighting.sharp:
        rings = np.interp(half.distance(), np.arange(len(size.profile)), size.profile)
        intensity = np.minimum(intensity, _HIGHEST * half.exposure * rings)
    weighed = intensity * weight
    # What is unknown or was weighed down must not leave a pedestal: the mean over the rings known
    # is taken off, which only lowers the origin's own peak.
    values = window.map(weighed)
    middle = values.shape[0] // 2
    values /= values[middle, middle]
    level = 1.4826 * float(np.median(np.abs(values[::4, ::4])))
    return PattersonMap(values, window.pixel, level)


def vectors(map_: PattersonMap, apart: float, count: int) -> NDArray[np.intp]:
    """Return the highest peaks at least `apart` [length] from the origin, rows (dy, dx) [pixel].

    One of each pair u, -u.
    """
    middle = map_.middle
    half = map_.values[middle - 1 :].copy()
    y, x = np.ogrid[-1 : middle + 1, -middle : middle + 1]
    half[(y * y + x * x) * map_.pixel**2 < apart**2] = -np.inf
    half[:2, :middle] = -np.inf
    found = peaks(half, count, _LOWEST * float(half.max()))
    return np.asarray(found - [1, middle], dtype=np.intp)

"""`contrast`: the fluctuation of the intensity about its azimuthal mean, which depends on n."""

from __future__ import annotations

import math
from typing import ClassVar

import attrs
import numpy as np

from speckle_baselines.azimuthal import Floats, Rings
from speckle_baselines.baseline import Baseline
from speckle_core import FloatArray, OptionError


def _check_floor(_: object, __: object, value: float) -> None:
    if not 0 <= value < 1:
        raise OptionError(f"floor must be at least 0 and below 1, not {value}", where="floor")


def _check_smoothing(_: object, __: object, value: float) -> None:
    if not (math.isfinite(value) and value >= 0):
        raise OptionError(f"smoothing must be 0 or more, not {value}", where="smoothing")


@attrs.define(kw_only=True, eq=False, slots=False)
class Contrast(Baseline):
    """Normal densities of the speckle contrast β = <I²> / <I>² − 1 per class.

    For n equal bodies at independent places β = 1 − 1/n, and n̂ = 1 / (1 − β); for unequal
    amplitudes f, β = 1 − Σf⁴ / (Σf²)². β is taken from the intensity over its smooth azimuthal
    mean, so that the decay of the form factor does not count.

    Parameters
    ----------
    floor : float
        Rings whose mean is below this fraction of the brightest ring's are left out, since the mean
        is not smooth near zeros of the form factor.
    smoothing : float
        Width of a Gaussian that smooths the azimuthal mean [pixels].

    Raises
    ------
    OptionError
        For a floor outside 0…1 or a negative smoothing.
    """

    name: ClassVar[str] = "contrast"
    floor: float = attrs.field(default=0.01, validator=_check_floor)
    smoothing: float = attrs.field(default=2.0, validator=_check_smoothing)

    def measure(self, rings: Rings, intensities: Floats) -> Floats:
        """Return β of each pattern, (B, 1)."""
        flat = rings.over_mean(intensities, smoothing=self.smoothing)
        mean = rings.mean(intensities)
        bright = mean >= self.floor * mean.max(axis=1, keepdims=True)
        weight = np.where(bright, rings.counts, 0)
        first = np.sum(rings.mean(flat) * weight, axis=1)
        second = np.sum(rings.mean(flat**2) * weight, axis=1)
        found: Floats = second * weight.sum(axis=1) / first**2 - 1
        return found[:, None]

    def numbers(self, patterns: FloatArray) -> Floats:
        """Return n̂ = 1 / (1 − β) of each pattern, (B,); infinite where β is 1 or more."""
        left = 1 - self.features(patterns)[:, 0]
        found: Floats = np.divide(1.0, left, out=np.full_like(left, np.inf), where=left > 0)
        return found

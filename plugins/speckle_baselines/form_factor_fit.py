"""`form-factor-fit`: fit a disk's radius to the azimuthal profile, and predict the class from it.

This is the usual analysis of a small-angle pattern. It is the only baseline that assumes a shape:
n equal disks. For other bodies the fitted radius is that of the most similar disk, which may still
distinguish classes; it cannot if all classes have the same size.
"""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar

import attrs
import numpy as np
from scipy.special import j1

from speckle_baselines.azimuthal import Floats, Rings
from speckle_baselines.baseline import Baseline
from speckle_core import FloatArray, OptionError

_CANDIDATES = 1200
#: kR at the outermost pixel for the smallest candidate disk.
_SMALLEST = 1.0
#: kR at one pixel for the largest candidate, whose first zero is 8 pixels from k = 0: the central
#: lobe of a larger disk is hidden by a beamstop, and any k⁻³ profile would fit it.
_LARGEST = 0.5
_STEP = 0.005


def _form(reach: float, dispersion: float) -> tuple[Floats, Floats]:
    """Return x from 0 to `reach` and the mean (2 J1(x) / x)² of disks whose mean kR is x."""
    x = np.arange(_STEP, reach + 2 * _STEP, _STEP)
    low, high = max(0.05, 1 - 3 * dispersion), 1 + 3 * dispersion
    sizes = np.linspace(low, high, 61) if dispersion else [1.0]
    total, weights = np.zeros_like(x), 0.0
    for size in sizes:
        # A disk scatters as the square of its area.
        weight = size**4 * (np.exp(-0.5 * ((size - 1) / dispersion) ** 2) if dispersion else 1.0)
        total += weight * (2 * j1(x * size) / (x * size)) ** 2
        weights += weight
    return np.append(0.0, x), np.append(1.0, total / weights)


@lru_cache(maxsize=2)
def _candidates(rings: Rings, dispersion: float) -> tuple[Floats, Floats]:
    """Return radii R in inverse pixels, (R,), and the form factor averaged over each ring.

    Unlike the function itself, the average over the pixels of a ring (R, rings) never vanishes.
    """
    far, nearest = np.unique(rings.distance, return_inverse=True)
    cells, pixels = np.unique(rings.ring * len(far) + nearest, return_counts=True)
    ring, which = np.divmod(cells, len(far))
    radii = np.geomspace(_SMALLEST / far[-1], _LARGEST, _CANDIDATES)
    table = _form(_LARGEST * far[-1], dispersion)
    means = np.empty((_CANDIDATES, len(rings.counts)))
    for row, radius in zip(means, radii, strict=True):
        row[:] = np.bincount(ring, weights=np.interp(radius * far, *table)[which] * pixels)
    return radii, means / rings.counts


def _check_dispersion(_: object, __: object, value: float) -> None:
    if not 0 <= value <= 1:
        raise OptionError(f"dispersion must be between 0 and 1, not {value}", where="dispersion")


@attrs.define(kw_only=True, eq=False, slots=False)
class FormFactorFit(Baseline):
    """One-parameter maximum likelihood of a disk's radius, then the nearest class.

    Fully developed speckle on the form factor of equal disks has the density exp(−I/m)/m with
    m(k) = s·(2 J1(kR) / kR)². With Ī and N the mean and number of pixels of each ring, the
    likelihood of R at its best factor s = Σ N Ī/f / Σ N is

        −ln L = Σ N · ln s + Σ N ln f,   f(k) = (2 J1(kR) / kR)² averaged over the ring.

    R is the best of 1200 candidates in a geometric series, refined by a parabola. Classes are
    normal densities of ln R fitted to the training set; no relation between R and n is assumed.

    Parameters
    ----------
    dispersion : float
        Standard deviation of the radii over their mean R, 0 for equal disks. The form factor is
        then that of many disks with normal radii, whose zeros are filled; the fit of equal disks
        fails on such a pattern, since it cannot explain any intensity at its zeros.

    Raises
    ------
    OptionError
        For a dispersion outside 0…1.
    """

    name: ClassVar[str] = "form-factor-fit"
    dispersion: float = attrs.field(default=0.0, validator=_check_dispersion)

    def measure(self, rings: Rings, intensities: Floats) -> Floats:
        """Return ln R of each pattern, (B, 1); R is in units of 1 / the k step."""
        radii, form = _candidates(rings, self.dispersion)
        share = rings.counts / rings.counts.sum()
        scale = np.einsum("bk,rk->br", rings.mean(intensities) * share, 1 / form)
        surprise = np.log(scale) + np.log(form) @ share
        best = np.clip(surprise.argmin(axis=1), 1, len(radii) - 2)
        rows = np.arange(len(best))
        left, middle, right = (surprise[rows, best + shift] for shift in (-1, 0, 1))
        bend = left - 2 * middle + right
        safe = np.where(bend > 0, bend, 1.0)
        step = np.where(bend > 0, np.clip((left - right) / (2 * safe), -1.0, 1.0), 0.0)
        logs = np.log(radii)
        found: Floats = logs[best] + step * (logs[1] - logs[0])
        return found[:, None]

    def radii(self, patterns: FloatArray) -> Floats:
        """Return the fitted radius of each pattern, (B,) [length]."""
        found: Floats = np.exp(self.features(patterns)[:, 0]) / self._fitted()[0].grid.step
        return found

"""`form-factor-fit`: a disk's radius, fitted to the azimuthal profile, and the class from that.

What a scatterer does with a small-angle pattern. It is the one baseline that assumes a shape: n
equal disks. On other bodies the fitted radius is that of the disk which comes nearest, and may
still tell classes apart; where every class has one size it cannot.
"""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar

import attrs
import numpy as np
from scipy.special import j1

from speckle_baselines.azimuthal import Floats, Rings
from speckle_baselines.baseline import Baseline
from speckle_core.configuration import FloatArray

_CANDIDATES = 1200
_TOGETHER = 32
#: kR at the outermost pixel for the smallest disk that is tried, and per pixel for the largest.
_SMALLEST, _LARGEST = 1.0, 1.5


@lru_cache(maxsize=2)
def _candidates(rings: Rings) -> tuple[Floats, Floats]:
    """Return radii R in inverse pixels, (R,), and (2 J1(kR) / kR)² averaged over each ring.

    The average over the pixels of a ring (R, rings) never vanishes, as the function itself does.
    """
    far, ring = np.unique(rings.distance, return_inverse=True)
    cells = np.unique(rings.ring * len(far) + ring, return_counts=True)
    to, which = np.divmod(cells[0], len(far))
    radii = np.geomspace(_SMALLEST / far[-1], _LARGEST, _CANDIDATES)
    means = np.empty((_CANDIDATES, len(rings.counts)))
    for start in range(0, _CANDIDATES, _TOGETHER):
        x = np.maximum(radii[start : start + _TOGETHER, None] * far, 1e-6)
        form = (2 * j1(x) / x) ** 2
        for row, values in enumerate(form[:, which] * cells[1], start):
            means[row] = np.bincount(to, weights=values, minlength=len(rings.counts))
    return radii, means / rings.counts


@attrs.define(kw_only=True, eq=False, slots=False)
class FormFactorFit(Baseline):
    """One-parameter maximum likelihood of a disk's radius, then the nearest class.

    Fully developed speckle on the form factor of equal disks has the density exp(−I/m)/m with
    m(k) = s·(2 J1(kR) / kR)². With Ī and N the mean and number of pixels of each ring, the
    likelihood of R at its best factor s = Σ N Ī/f / Σ N is

        −ln L = Σ N · ln s + Σ N ln f,   f(k) = (2 J1(kR) / kR)² averaged over the ring.

    R is the best of 1200 candidates in a geometric row, refined by a parabola. Classes are normal
    densities of ln R, learned from the training set: the rule that ties R to n is not assumed.
    """

    name: ClassVar[str] = "form-factor-fit"

    def measure(self, rings: Rings, intensities: Floats) -> Floats:
        """Return ln R of each pattern, (B, 1); R is in units of 1 / the k step."""
        radii, form = _candidates(rings)
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

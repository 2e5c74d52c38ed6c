"""`pair-peaks`: count pairs of bodies in the Patterson map, as in crystallography.

Divided by its azimuthal mean, the pattern of n equal bodies is 1 + (2/n) Σ cos(k·r_ij) over pairs.
Its Fourier transform has a peak of height 1/n at each r_ij, whatever the size of the bodies. So it
also works when all classes have the same radius and the profile carries no information.
"""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar, Literal

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy import fft

from speckle_baselines.azimuthal import Floats, Rings
from speckle_baselines.baseline import Baseline, Lesson
from speckle_baselines.radial_lda import radial_features
from speckle_baselines.rules import Layers, Rule
from speckle_core import OptionError

#: Padding of the transform: the finer the map, the less height a peak loses between its points.
_PAD = 1.5
#: Radius around the origin where peaks are ignored, in units of the map's resolution.
_ORIGIN = 2.0
#: n equal bodies give at most n times the mean; larger values come from dividing by almost 0.
_HIGHEST = 30.0
_TOGETHER = 8


def _check_peaks(_: object, __: object, value: int) -> None:
    if value < 1:
        raise OptionError(f"peaks must be at least 1, not {value}", where="peaks")


@lru_cache(maxsize=2)
def _plan(rings: Rings) -> tuple[Floats, int, NDArray[np.bool_]]:
    """Return the taper (pixels,), the points of the transform, and where peaks count (y, x)."""
    grid = rings.grid
    reach = grid.size - grid.origin
    taper = np.maximum(1 - (rings.distance / reach) ** 2, 0.0)
    size = fft.next_fast_len(int(np.ceil(_PAD * grid.size)), real=True)
    y, x = fft.fftfreq(size, 1 / grid.size)[:, None], fft.rfftfreq(size, 1 / grid.size)
    counted = np.hypot(x, y) > _ORIGIN
    # The map is the same at r and −r, and the first column contains both.
    counted[:, 0] &= y[:, 0] > 0
    return taper / taper.sum(), size, counted


def patterson(rings: Rings, intensities: Floats) -> Floats:
    """Return the Patterson map of each pattern, (B, size, size // 2 + 1), with r = 0 at [0, 0].

    A pair of n equal bodies has a peak of about 1/n; the peak of 1 at the origin is subtracted. On
    a centred grid the map is real by Friedel's law; on a quadrant its modulus is used.
    """
    taper, size, _ = _plan(rings)
    grid = rings.grid
    excess = np.minimum(rings.over_mean(intensities), _HIGHEST) - 1
    excess = (excess - (excess * taper).sum(axis=1, keepdims=True)) * taper
    padded = np.zeros((len(intensities), size, size))
    padded[:, : grid.size, : grid.size] = rings.image(excess)
    if grid.layout == "quadrant":
        modulus: Floats = np.abs(fft.rfft2(padded))
        return modulus
    centered = np.roll(padded, (-grid.origin, -grid.origin), axis=(1, 2))
    real: Floats = fft.rfft2(centered).real
    return real


def peak_heights(rings: Rings, intensities: Floats, count: int) -> Floats:
    """Return the `count` highest local maxima of each Patterson map, descending, (B, count)."""
    _, size, counted = _plan(rings)
    mirrored = -np.arange(size) % size
    heights = np.zeros((len(intensities), count))
    for number, half in enumerate(patterson(rings, intensities)):
        # The map is periodic; the columns beyond the half map are those of −r.
        beyond = half[mirrored, 1:2], half[mirrored, size - half.shape[1], None]
        sides = np.concatenate([beyond[0], half, beyond[1]], axis=1)
        wide = np.pad(sides, ((1, 1), (0, 0)), mode="wrap")
        highest = np.maximum(np.maximum(wide[:, :-2], wide[:, 2:]), wide[:, 1:-1])
        highest = np.maximum(np.maximum(highest[:-2], highest[2:]), highest[1:-1])
        found = np.sort(half[(half == highest) & counted & (half > 0)])[::-1][:count]
        heights[number, : len(found)] = found
    return heights


@attrs.define(kw_only=True, eq=False, slots=False)
class PairPeaks(Baseline):
    """A small rule on the sorted peak heights of the Patterson map and the azimuthal profile.

    Parameters
    ----------
    peaks : int
        Number of heights to use.
    rule : {"best", "linear", "perceptron"}
        A linear discriminant, which needs few patterns; a small perceptron, which is better with
        thousands of patterns of different sizes; or the one that is better on the validation set.

    Raises
    ------
    OptionError
        For fewer than one peak.
    """

    name: ClassVar[str] = "pair-peaks"
    peaks: int = attrs.field(default=100, validator=_check_peaks)
    rule: Literal["best", "linear", "perceptron"] = "best"

    def measure(self, rings: Rings, intensities: Floats) -> Floats:
        """Return the heights and the two profiles of `radial-lda`, (B, peaks + 2 rings)."""
        heights = [
            peak_heights(rings, intensities[start : start + _TOGETHER], self.peaks)
            for start in range(0, len(intensities), _TOGETHER)
        ]
        return np.hstack([np.concatenate(heights), radial_features(rings, intensities)])

    def learn(self, lesson: Lesson) -> Rule:
        """Return the chosen rule; without validation patterns, `best` is the linear one."""
        taught = lesson.features, lesson.targets, lesson.classes
        if self.rule == "perceptron":
            return Layers.perceptron(*taught, lesson.seed)
        linear = Layers.linear(*taught)
        if self.rule == "linear" or not len(lesson.valid_targets):
            return linear
        other = Layers.perceptron(*taught, lesson.seed)
        return other if _right(other, lesson) > _right(linear, lesson) else linear


def _right(rule: Rule, lesson: Lesson) -> int:
    read = rule.logits(lesson.valid_features).argmax(axis=1)
    return int(np.sum(read == lesson.valid_targets))

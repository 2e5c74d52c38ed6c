"""Saliency averaged over noisy or shifted copies of a pattern, which smooths what one gradient has.

The strides of a network draw a lattice into every gradient. Shifts that cover it evenly average it
out, at the price of fine detail; noise alone makes it stand out more. The analysis of maps measures
what is left.
"""

from __future__ import annotations

import math
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core import Classifier, FloatArray, IntArray, OptionError
from speckle_explain.capabilities import at_least_one, batches, gradients_of, input_gradients


def _not_negative(_: object, attribute: attrs.Attribute[Any], value: float) -> None:
    if value < 0:
        raise OptionError(f"must not be negative, and is {value}", where=attribute.name)


@attrs.frozen(kw_only=True)
class SmoothSaliency:
    """Mean absolute gradient of the class score over noisy, shifted copies of the pattern.

    ``M = mean_i |∂S_target/∂I (I_i)|`` with I_i the pattern plus normal noise (SmoothGrad, Smilkov
    et al. 2017), moved along each axis and the map moved back.

    Parameters
    ----------
    samples : int
        Copies of each pattern.
    noise : float
        Standard deviation of the noise, in units of the pattern's own.
    shift : int
        Shifts run over so many pixels along either axis [pixels], as evenly as `samples` allow. 16
        of them with 16 samples cover the lattice of a ResNet-50's first four strides, and take
        k = 0 up to 8 pixels from its place. 0 leaves patterns where they are.
    seed : int
        Decides the noise.
    batch_size : int
        Copies given to the classifier at a time.
    """

    samples: int = attrs.field(default=16, validator=at_least_one)
    noise: float = attrs.field(default=0.1, validator=_not_negative)
    shift: int = attrs.field(default=0, validator=_not_negative)
    seed: int = 0
    batch_size: int = attrs.field(default=16, validator=at_least_one)

    def explain(
        self, classifier: Classifier, patterns: FloatArray, targets: IntArray
    ) -> FloatArray:
        """Return one map per pattern, (B, ny, nx), all values ≥ 0.

        Raises
        ------
        PluginError
            When the classifier does not provide gradients.
        """
        able = gradients_of(classifier, "smooth-saliency")
        # The same noise for every pattern: alone it is explained as among others.
        rng = np.random.default_rng(self.seed)
        noise = rng.normal(size=(self.samples, *patterns.shape[1:])) * self.noise
        shifts = even_shifts(self.samples, self.shift)
        maps = np.zeros_like(patterns)
        for number, (pattern, target) in enumerate(zip(patterns, targets, strict=True)):
            copies = pattern + noise * pattern.std()
            moved = np.stack([np.roll(c, s, (0, 1)) for c, s in zip(copies, shifts, strict=True)])
            same = np.full(self.samples, target)
            parts = [
                np.abs(input_gradients(able, some, columns))
                for some, columns in batches(moved.astype(patterns.dtype), same, self.batch_size)
            ]
            found = np.concatenate(parts)
            back = [np.roll(m, -s, (0, 1)) for m, s in zip(found, shifts, strict=True)]
            maps[number] = np.mean(back, axis=0)
        return maps


def even_shifts(samples: int, span: int) -> NDArray[np.int64]:
    """Return shifts (samples, 2) about 0 that take every place of a period up to `span` equally.

    Each axis runs through all places once in `span` samples, the second in jumps, so that the two
    are not tied.
    """
    if span < 2:
        return np.zeros((samples, 2), dtype=np.int64)
    jump = next(j for j in range(round(0.618 * span), 2 * span) if math.gcd(j, span) == 1)
    number = np.arange(samples)
    places = np.stack([number % span, (number * jump + number // span) % span], axis=1)
    return places - span // 2

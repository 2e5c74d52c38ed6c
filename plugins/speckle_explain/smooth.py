"""Saliency averaged over noisy or shifted copies of a pattern, which smooths what one gradient has.

The strides of a network draw a lattice into every gradient. Averaging over shifts as long as the
lattice takes it away, at the price of fine detail; noise alone does not. The analysis of maps
measures whether it is gone.
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

from speckle_core import Classifier, FloatArray, IntArray, OptionError
from speckle_explain.powers import at_least_one, batches, gradients_of, input_gradients


def _not_negative(_: object, attribute: attrs.Attribute[Any], value: float) -> None:
    if value < 0:
        raise OptionError(f"must not be negative, and is {value}", where=attribute.name)


@attrs.frozen(kw_only=True)
class SmoothSaliency:
    """Mean absolute gradient of the class score over noisy, shifted copies of the pattern.

    ``M = mean_i |∂S_target/∂I (I_i)|`` with I_i the pattern plus normal noise (SmoothGrad, Smilkov
    et al. 2017), moved by a random number of pixels along each axis and the map moved back.

    Parameters
    ----------
    samples : int
        Copies of each pattern.
    noise : float
        Standard deviation of the noise, in units of the pattern's own.
    shift : int
        Largest shift along either axis [pixels]; 16 covers the lattice of a ResNet-50, and takes
        k = 0 as far from its place. 0 leaves patterns where they are.
    seed : int
        Decides noise and shifts.
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
        shifts = rng.integers(-self.shift, self.shift + 1, size=(self.samples, 2))
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

"""`radial-lda`: a linear rule on the azimuthal averages of a pattern.

It does not see individual speckles, only the mean and the contrast of the intensity at each k. What
it classifies correctly does not need image recognition.
"""

from __future__ import annotations

from typing import ClassVar

import attrs
import numpy as np

from speckle_baselines.azimuthal import FLOOR, Floats, Rings
from speckle_baselines.baseline import Baseline, Lesson
from speckle_baselines.rules import Layers, Rule


def radial_features(rings: Rings, intensities: Floats) -> Floats:
    """Return the logarithms of azimuthal mean and relative azimuthal second moment, (B, 2 rings).

    The mean over the rings is subtracted from the logarithm of the mean: the total intensity, which
    reveals n when all particles are equal, is lost in a standardized pattern anyway.
    """
    mean = np.maximum(rings.mean(intensities), FLOOR)
    second = np.maximum(rings.mean(intensities**2), FLOOR**2)
    profile = np.log(mean)
    profile -= profile.mean(axis=1, keepdims=True)
    return np.concatenate([profile, np.log(second / mean**2)], axis=1)


@attrs.define(kw_only=True, eq=False, slots=False)
class RadialLDA(Baseline):
    """Linear discriminant analysis of the azimuthal profile, on logarithms.

    The features are ln <I> and ln (<I²> / <I>²) of each ring; the discriminant uses a shrunk
    covariance, so a small training set is sufficient.
    """

    name: ClassVar[str] = "radial-lda"

    def measure(self, rings: Rings, intensities: Floats) -> Floats:
        """Return the two profiles, (B, 2 rings)."""
        return radial_features(rings, intensities)

    def learn(self, lesson: Lesson) -> Rule:
        """Return the discriminant."""
        return Layers.linear(lesson.features, lesson.targets, lesson.classes)

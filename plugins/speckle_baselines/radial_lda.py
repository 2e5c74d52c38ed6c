"""`radial-lda`: a linear rule on what is left of a pattern after averaging over each ring.

It sees no single speckle, only the width of the scattering and how strongly it fluctuates at each
k. Whatever it reads rightly asks for no image recognition.
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

    The mean's own mean over the rings is taken off: the total intensity, which gives n away where
    all particles are equal, is no part of the pattern's shape, and gone from a standardized one.
    """
    mean = np.maximum(rings.mean(intensities), FLOOR)
    second = np.maximum(rings.mean(intensities**2), FLOOR**2)
    profile = np.log(mean)
    profile -= profile.mean(axis=1, keepdims=True)
    return np.concatenate([profile, np.log(second / mean**2)], axis=1)


@attrs.define(kw_only=True, eq=False, slots=False)
class RadialLDA(Baseline):
    """Linear discriminant analysis of the azimuthal profile, on logarithms.

    The features are, ring by ring, ln <I> and ln (<I²> / <I>²); the discriminant uses a shrunk
    covariance, so that a small training set will do.
    """

    name: ClassVar[str] = "radial-lda"

    def measure(self, rings: Rings, intensities: Floats) -> Floats:
        """Return the two profiles, (B, 2 rings)."""
        return radial_features(rings, intensities)

    def learn(self, lesson: Lesson) -> Rule:
        """Return the discriminant."""
        return Layers.linear(lesson.features, lesson.targets, lesson.classes)

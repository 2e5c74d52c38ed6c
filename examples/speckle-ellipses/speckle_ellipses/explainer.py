"""Asks any classifier what it uses by blanking one patch of the pattern after the other."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from speckle_core import Classifier, FloatArray, IntArray, OptionError


@attrs.frozen(kw_only=True)
class Occlusion:
    """The probability of the explained class that is lost when a patch is blanked.

    Parameters
    ----------
    patch : int
        Side of a patch [pixel]; it is filled with the pattern's mean.
    """

    patch: int = attrs.field(default=8)

    @patch.validator
    def _at_least_one(self, _: Any, value: int) -> None:
        if value < 1:
            raise OptionError(f"must be at least 1, not {value}", where="patch")

    def explain(
        self, classifier: Classifier, patterns: FloatArray, targets: IntArray
    ) -> FloatArray:
        rows = np.arange(len(patterns))
        before = classifier.predict_proba(patterns)[rows, targets]
        maps = np.zeros(patterns.shape)
        means = patterns.mean(axis=(1, 2), keepdims=True)
        for top in range(0, patterns.shape[1], self.patch):
            for left in range(0, patterns.shape[2], self.patch):
                patch = np.s_[:, top : top + self.patch, left : left + self.patch]
                blanked = patterns.copy()
                blanked[patch] = means
                after = classifier.predict_proba(blanked)[rows, targets]
                maps[patch] = (before - after)[:, None, None]
        return maps

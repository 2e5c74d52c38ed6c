"""Integrated gradients: the contribution of each pixel to the class score.

Unlike the gradient at the pattern alone, the contributions sum to the difference in score from an
empty pattern, so fractions of them are meaningful.
"""

from __future__ import annotations

from typing import Literal

import attrs
import numpy as np

from speckle_core import Classifier, FloatArray, IntArray, SupportsGradients
from speckle_explain.capabilities import at_least_one, batches, gradients_of, input_gradients


@attrs.frozen(kw_only=True)
class IntegratedGradients:
    """Gradients integrated along the straight path from a baseline to the pattern.

    ``M = (I - I₀) ∫₀¹ ∂S_target/∂I (I₀ + α (I - I₀)) dα`` (Sundararajan et al. 2017, equation
    1). They are complete: the sum over the map is S(I) - S(I₀), up to the error of the quadrature.

    Parameters
    ----------
    steps : int
        Points of the Gauss-Legendre quadrature along the path.
    baseline : {"blocked", "zero"}
        The empty pattern I₀. ``blocked``: the pattern's smallest value everywhere, which is the
        value of a dark pixel after preparation. ``zero``: 0 everywhere, the mean of a standardized
        pattern.
    batch_size : int
        Number of points of the path passed to the classifier at a time.
    """

    steps: int = attrs.field(default=32, validator=at_least_one)
    baseline: Literal["blocked", "zero"] = "blocked"
    batch_size: int = attrs.field(default=16, validator=at_least_one)

    def explain(
        self, classifier: Classifier, patterns: FloatArray, targets: IntArray
    ) -> FloatArray:
        """Return one map per pattern, (B, ny, nx), with sign.

        Raises
        ------
        PluginError
            When the classifier does not provide gradients.
        """
        able = gradients_of(classifier, "integrated-gradients")
        parts = [
            self._map(able, some[0], columns) for some, columns in batches(patterns, targets, 1)
        ]
        return np.stack(parts) if parts else np.zeros_like(patterns)

    def _map(
        self, classifier: SupportsGradients, pattern: FloatArray, target: IntArray
    ) -> FloatArray:
        start = pattern.min() if self.baseline == "blocked" else pattern.dtype.type(0)
        way = pattern - start
        nodes, weights = np.polynomial.legendre.leggauss(self.steps)
        total = np.zeros(pattern.shape)
        for first in range(0, self.steps, self.batch_size):
            part = slice(first, first + self.batch_size)
            fractions = ((nodes[part] + 1) / 2).astype(pattern.dtype)
            points = start + fractions[:, None, None] * way
            gradients = input_gradients(classifier, points, np.repeat(target, len(points)))
            total += np.tensordot(weights[part] / 2, gradients, axes=1)
        return np.asarray(way * total, dtype=pattern.dtype)

"""Saliency maps: the sensitivity of the class score to each pixel.

A gradient shows the effect of a small change, not the contribution of a pixel; for the latter see
`speckle_explain.integrated`.
"""

from __future__ import annotations

import attrs
import numpy as np

from speckle_core import Classifier, FloatArray, IntArray
from speckle_explain.capabilities import at_least_one, batches, gradients_of, input_gradients


@attrs.frozen(kw_only=True)
class Saliency:
    """Absolute gradient of the linear class score with respect to each pixel.

    ``M = |∂S_target / ∂I|`` (Simonyan et al. 2013, section 3.1, for one channel).

    Parameters
    ----------
    batch_size : int
        Number of patterns passed to the classifier at a time.
    """

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
        return _absolute_gradients(
            classifier, patterns, targets, self.batch_size, "saliency", guided=False
        )


@attrs.frozen(kw_only=True)
class GuidedSaliency:
    """Absolute guided gradient of the linear class score with respect to each pixel.

    ReLUs pass back only positive gradients (Springenberg et al. 2015), which sharpens the map.
    Such maps can look alike whatever the network has learned (Adebayo et al. 2018), so compare them
    with the control with random weights.

    Parameters
    ----------
    batch_size : int
        Number of patterns passed to the classifier at a time.
    """

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
        return _absolute_gradients(
            classifier, patterns, targets, self.batch_size, "guided-saliency", guided=True
        )


def _absolute_gradients(
    classifier: Classifier,
    patterns: FloatArray,
    targets: IntArray,
    batch_size: int,
    explainer: str,
    *,
    guided: bool,
) -> FloatArray:
    able = gradients_of(classifier, explainer)
    parts = [
        np.abs(input_gradients(able, some, columns, guided=guided))
        for some, columns in batches(patterns, targets, batch_size)
    ]
    return np.concatenate(parts) if parts else np.zeros_like(patterns)

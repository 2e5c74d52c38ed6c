"""Whether probabilities mean what they say: accuracy against confidence."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core.analysis.evaluation import Evaluation
from speckle_core.contracts.arrays import IntArray

Array = NDArray[np.float64]


@attrs.frozen(eq=False)
class Calibration:
    """How often answers of some confidence are right, bin by bin.

    `confidence` is the mean probability of the predicted class in each bin and `accuracy` the share
    that is right, NaN where a bin is empty; `count` its patterns: all (bins,). `error` is the
    expected calibration error: the mean distance of accuracy and confidence, weighted by count
    (Guo et al. 2017, doi:10.48550/arXiv.1706.04599).
    """

    confidence: Array
    accuracy: Array
    count: IntArray
    error: float


def calibration(evaluation: Evaluation, bins: int = 10) -> Calibration | None:
    """Return the calibration of a classifier in `bins` equal intervals of probability.

    None for an evaluation without probabilities.
    """
    if evaluation.probabilities is None:
        return None
    sure = evaluation.probabilities.max(axis=1)
    right = (evaluation.errors == 0).astype(np.float64)
    place = np.minimum((sure * bins).astype(np.int64), bins - 1)
    count = np.bincount(place, minlength=bins)
    safe = np.where(count > 0, count, np.nan)
    confidence = np.bincount(place, weights=sure, minlength=bins) / safe
    accuracy = np.bincount(place, weights=right, minlength=bins) / safe
    error = float(np.nansum(np.abs(accuracy - confidence) * count) / len(evaluation))
    return Calibration(confidence, accuracy, count, error)

"""The photon noise that a classifier stands is found by trial."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from speckle_core import KGrid, PatternSet
from speckle_core.contracts.roles import Classifier
from speckle_core.models import noise

GRID = KGrid.centered(33, 1.0)


class Shy:
    """Tells a bright upper band from none, unless k and -k differ by more than a share."""

    classes = np.array([1, 2])

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold

    def predict_proba(self, patterns: NDArray[Any]) -> NDArray[np.float64]:
        banded = patterns[:, [2, 3, -3, -4]].mean(axis=(1, 2)) > 2 * patterns.mean(axis=(1, 2))
        apart = np.abs(patterns - patterns[:, ::-1, ::-1]).mean(axis=(1, 2))
        second = banded & (apart < self.threshold * patterns.mean(axis=(1, 2)))
        return np.stack([~second, second], axis=1).astype(float)


def patterns() -> PatternSet:
    half = np.random.default_rng(0).exponential(size=(30, *GRID.shape)).astype(np.float32)
    speckle = half + half[:, ::-1, ::-1]
    speckle[1::2, [2, 3, -3, -4]] *= 6
    return PatternSet.from_arrays(speckle, np.tile([1, 2], 15), GRID)


def test_the_limit_lies_where_answers_become_wrong() -> None:
    far = [noise.limit(cast(Classifier, Shy(t)), patterns()) for t in (0.1, 0.3, 0.9)]
    assert all(limit is not None and 0 < limit < 1 for limit in far)
    # One that stands more noise has a lower limit.
    assert far[0] > far[1] > far[2]


def test_one_that_noise_does_not_spoil_or_that_was_wrong_before_has_none() -> None:
    assert noise.limit(cast(Classifier, Shy(9.0)), patterns()) is None
    assert noise.limit(cast(Classifier, Shy(0.0)), patterns()) is None

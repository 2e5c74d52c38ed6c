"""Accuracy against confidence, held against scikit-learn's curve and a binning by SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.calibration import calibration_curve

from speckle_core.analysis.calibration import calibration
from speckle_core.analysis.evaluation import Evaluation

BINS = 8


def reading(count: int) -> Evaluation:
    rng = np.random.default_rng(3)
    rates = rng.dirichlet(np.ones(3), count)
    rates[0] = [1, 0, 0]
    labels = np.array([2, 3, 7])[rng.integers(0, 3, count)]
    return Evaluation([2, 3, 7], labels, np.array([2, 3, 7])[rates.argmax(axis=1)], rates)


def test_each_bin_has_its_own_patterns_confidence_and_accuracy() -> None:
    read = reading(300)
    assert read.probabilities is not None
    sure, right = read.probabilities.max(axis=1), read.labels == read.predicted
    found = calibration(read, BINS)
    assert found is not None
    filled = found.count > 0
    accuracy, confidence = calibration_curve(right, sure, n_bins=BINS)
    np.testing.assert_allclose(found.accuracy[filled], accuracy)
    np.testing.assert_allclose(found.confidence[filled], confidence)
    # Of three classes the likeliest has at least a third.
    assert filled.tolist() == [False, False, *(BINS - 2) * [True]]
    assert np.isnan(found.accuracy[~filled]).all()
    assert np.isnan(found.confidence[~filled]).all()
    edges = np.linspace(0, 1, BINS + 1)
    np.testing.assert_array_equal(found.count, np.histogram(sure, edges)[0])
    gaps, _, _ = stats.binned_statistic(sure, right - sure, "sum", edges)
    assert found.error == pytest.approx(np.abs(gaps).sum() / 300)


def test_without_probabilities_there_is_none() -> None:
    assert calibration(Evaluation([2, 3], [2], [3])) is None

"""Occlusion of linear scores, whose loss can be worked out by hand."""

import numpy as np
import pytest

from speckle_core import ModelError, OptionError
from speckle_explain.occlusion import Occlusion

RNG = np.random.default_rng(8)
WEIGHTS = RNG.normal(size=(3, 10, 9))
PATTERNS = RNG.normal(size=(2, 10, 9))


class Linear:
    """Scores are Σ W x, probabilities their softmax; `sharp` times as large."""

    def __init__(self, sharp=1.0):
        self.sharp = sharp
        self.seen = 0

    def predict_proba(self, patterns):
        self.seen += len(patterns)
        scores = self.sharp * np.einsum("cyx,byx->bc", WEIGHTS, patterns)
        rates = np.exp(scores - scores.max(axis=1, keepdims=True))
        return rates / rates.sum(axis=1, keepdims=True)


class Value:
    """Learned a value, twice the mean; asked for classes it fails."""

    def predict_values(self, patterns):
        return np.stack([2 * patterns.mean(axis=(1, 2)), np.ones(len(patterns))], axis=1)


class Odds:
    """The odds of class 0 are exp(Σ W x); it could have learned values, but did not."""

    def __init__(self, weights):
        self.weights = weights

    def predict_proba(self, patterns):
        odds = np.exp(np.einsum("yx,byx->b", self.weights, patterns))
        return np.stack([odds, np.ones_like(odds)], axis=1) / (1 + odds[:, None])

    def predict_values(self, patterns):
        raise ModelError("learned classes")


def test_the_loss_of_each_window_is_what_its_speckle_adds_to_the_score():
    patterns, weights = PATTERNS[:, :, :5].copy(), WEIGHTS[0, :, :5]
    patterns[:, 7, 2] = -9.0  # a beamstop of one pixel, which stays
    found = Occlusion(windows=5).explain(Odds(weights), patterns, np.array([0, 0]))
    assert found.shape == (2, 10, 5)
    for pattern, seen in zip(patterns, found, strict=True):
        for y in range(0, 10, 2):
            for x in range(5):
                part = [row for row in (y, y + 1) if (row, x) != (7, 2)]
                window = pattern[part, x]
                loss = np.sum(weights[part, x] * (window - window.mean())) / 2
                np.testing.assert_allclose(seen[y : y + 2, x], loss, atol=1e-12)


def test_a_certain_answer_is_explained_as_well():
    """Where 1 - p is rounded to 0, the probabilities of the others still tell the score."""
    sure = Linear(sharp=8.0)
    target = int(np.argmax(sure.predict_proba(PATTERNS[:1])[0]))
    assert 1 - sure.predict_proba(PATTERNS[:1])[0, target] < 1e-12
    found = Occlusion(windows=3).explain(sure, PATTERNS[:1], np.array([target]))
    other = Occlusion(windows=3).explain(Linear(), PATTERNS[:1], np.array([target]))
    assert np.corrcoef(found.ravel(), other.ravel())[0, 1] > 0.8


def test_of_a_value_the_map_is_that_of_the_value():
    # The mean of a window stays, and with it the mean of the pattern.
    found = Occlusion(windows=4).explain(Value(), PATTERNS, np.array([0, 0]))
    np.testing.assert_allclose(found, 0, atol=1e-15)


def test_windows_cover_every_pixel_once_and_not_more_than_there_are():
    found = Occlusion(windows=50).explain(Linear(), PATTERNS[:1], np.array([1]))
    np.testing.assert_allclose(found, 0, atol=1e-15)  # each pixel is its own mean
    coarse = Occlusion(windows=4).explain(Linear(), PATTERNS[:1], np.array([1]))[0]
    assert len(np.unique(coarse)) == 16


def test_windows_without_speckle_are_not_asked_for():
    blocked = PATTERNS[:1].copy()
    blocked[0, :5] = PATTERNS.min() - 0.1
    classifier = Linear()
    found = Occlusion(windows=2, batch_size=3).explain(classifier, blocked, np.array([2]))
    assert classifier.seen == 3  # the pattern, and two of four windows
    assert (found[0, :5] == 0).all()
    assert (found[0, 5:] != 0).all()


def test_patterns_are_left_as_they_are():
    before = PATTERNS.copy()
    Occlusion().explain(Linear(), PATTERNS, np.array([0, 1]))
    np.testing.assert_array_equal(PATTERNS, before)


@pytest.mark.parametrize("options", [{"windows": 0}, {"batch_size": 0}])
def test_a_number_below_one_is_refused(options):
    with pytest.raises(OptionError, match="must be at least 1"):
        Occlusion(**options)

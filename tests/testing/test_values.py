"""Each check of values passes a good classifier and fails one that is broken just so."""

import attrs
import numpy as np
import pytest

from speckle_core.testing import CheckFailed, CheckSkipped, run_checks
from speckle_core.testing.values import CHECKS
from tests.testing.test_classifier import NearestMean

KNOWN = {check.id: check for check in CHECKS}


@attrs.define(kw_only=True, eq=False)
class Linear(NearestMean):
    """Least squares on the pixels, of the smallest weights; the spread is that of the values."""

    weights_: np.ndarray = attrs.field(init=False, repr=False, default=None)

    def fit(self, train, valid, *, seed, on_epoch=None):
        if train.values is None:
            return super().fit(train, valid, seed=seed, on_epoch=on_epoch)
        self.classes = np.zeros(0, dtype=np.int64)
        mean, spread = train.value_scale()
        pixels = np.asarray(train, dtype=np.float64).reshape(len(train), -1)
        slope = np.linalg.lstsq(pixels, train.values - mean)[0]
        self.weights_ = np.concatenate([slope, [mean, spread]])
        return []

    def predict_values(self, patterns):
        pixels = np.asarray(patterns, dtype=np.float64).reshape(len(patterns), -1)
        value = pixels @ self.weights_[:-2] + self.weights_[-2]
        return np.stack([value, np.full(len(value), self.weights_[-1])], axis=1)

    def input_gradients(self, patterns, targets, *, guided=False):
        return np.broadcast_to(self.weights_[:-2].reshape(patterns.shape[1:]), patterns.shape)

    def save(self, folder):
        np.save(folder / "weights.npy", self.weights_)

    def load(self, folder):
        self.weights_ = np.load(folder / "weights.npy")
        self.classes = np.zeros(0, dtype=np.int64)


class NoSpread(Linear):
    def predict_values(self, patterns):
        return super().predict_values(patterns) * [1, 0]


class OneNumber(Linear):
    def predict_values(self, patterns):
        return super().predict_values(patterns)[:, 0]


class Guesses(Linear):
    def predict_values(self, patterns):
        return super().predict_values(0 * patterns)


class OverTheBatch(Linear):
    def predict_values(self, patterns):
        return super().predict_values(patterns - patterns.mean(axis=0))


class ForgetsItsMean(Linear):
    def load(self, folder):
        super().load(folder)
        self.weights_[-2] = 0


class KeepsClasses(Linear):
    def load(self, folder):
        super().load(folder)
        self.classes = np.array([2, 3])


class Standardised(Linear):
    def input_gradients(self, patterns, targets, *, guided=False):
        return super().input_gradients(patterns, targets) / self.weights_[-1]


BROKEN = [
    ("classifier.values-are-learned", NoSpread, "spread is not positive"),
    ("classifier.values-are-learned", OneNumber, r"of shape \(8,\)"),
    ("classifier.values-are-learned", Guesses, "correlate by 0.00"),
    ("classifier.values-are-learned", OverTheBatch, "one pattern alone"),
    ("classifier.values-are-saved", ForgetsItsMean, "the values differ by"),
    ("classifier.values-are-saved", KeepsClasses, "still has classes"),
    ("classifier.gradients-are-those-of-the-value", Standardised, "miss the gradient"),
]


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_a_good_classifier_of_values_passes(check):
    check.run(Linear)


@pytest.mark.parametrize(("name", "broken", "message"), BROKEN)
def test_a_broken_classifier_of_values_fails_the_check_of_its_fault(name, broken, message):
    with pytest.raises(CheckFailed, match=message):
        KNOWN[name].run(broken)


def test_every_check_of_values_has_been_seen_to_fail():
    assert {name for name, *_ in BROKEN} == set(KNOWN)


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_a_classifier_of_classes_alone_is_not_asked_for_values(check):
    with pytest.raises(CheckSkipped, match="optional"):
        check.run(NearestMean)


def test_whoever_has_no_values_still_passes_the_kit():
    found = {r.id: r.outcome for r in run_checks("classifier", NearestMean)}
    assert {found[name] for name in KNOWN} == {"skipped"}

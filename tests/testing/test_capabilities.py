"""Each check of an optional capability passes on a sound classifier and fails on a broken one."""

import numpy as np
import pytest

from speckle_core.testing import CheckFailed, CheckSkipped, run_checks
from speckle_core.testing.capabilities import CHECKS
from tests.testing.test_classifier import NearestMean


class Linear(NearestMean):
    """Scores are linear in the pixels, with every optional capability."""

    def fit(self, train, valid, *, seed, on_epoch=None):
        history = super().fit(train, valid, seed=seed, on_epoch=on_epoch)
        self.means_ = self.means_ - self.means_.mean(axis=0)
        return history

    def scores(self, patterns):
        return 0.02 * np.einsum("bij,cij->bc", patterns.astype(np.float64), self.means_)

    def predict_proba(self, patterns):
        scores = self.scores(patterns)
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        return odds / odds.sum(axis=1, keepdims=True)

    def input_gradients(self, patterns, targets, *, guided=False):
        return 0.02 * self.means_[targets]

    def feature_maps(self, patterns, targets, *, stage=None):
        return patterns[:, None], 0.02 * self.means_[targets][:, None]

    def region(self, shape):
        return np.ones(shape, dtype=bool)

    def randomised(self, *, seed):
        other = type(self)()
        other.classes = self.classes
        other.means_ = np.random.default_rng(seed).normal(size=self.means_.shape)
        return other


class WrongShape(Linear):
    def input_gradients(self, patterns, targets, *, guided=False):
        return super().input_gradients(patterns, targets)[:, ::2]


class WrongSign(Linear):
    def input_gradients(self, patterns, targets, *, guided=False):
        return -super().input_gradients(patterns, targets)


class Twice(Linear):
    def input_gradients(self, patterns, targets, *, guided=False):
        return 2 * super().input_gradients(patterns, targets)


class HalfOfThePixels(Linear):
    def input_gradients(self, patterns, targets, *, guided=False):
        found = super().input_gradients(patterns, targets).copy()
        found[:, :, : found.shape[2] // 2] = 0
        return found


class OfTheProbability(Linear):
    """The gradient of the probability, the common mistake."""

    def input_gradients(self, patterns, targets, *, guided=False):
        rates = self.predict_proba(patterns)
        own = np.take_along_axis(rates, np.asarray(targets)[:, None], axis=1)
        inner = 0.02 * (self.means_[targets] - np.einsum("bc,cij->bij", rates, self.means_))
        return own[:, :, None] * inner


class ReadsMore(Linear):
    def region(self, shape):
        read = np.zeros(shape, dtype=bool)
        read[10:20, 10:20] = True
        return read


class Unchanged(Linear):
    def randomised(self, *, seed):
        return self


class FlatMaps(Linear):
    def feature_maps(self, patterns, targets, *, stage=None):
        maps, gradients = super().feature_maps(patterns, targets)
        return maps, gradients.mean(axis=(2, 3))


class WholeNumbers(Linear):
    def input_gradients(self, patterns, targets, *, guided=False):
        return np.rint(1000 * super().input_gradients(patterns, targets)).astype(int)


class AsAList(Linear):
    def input_gradients(self, patterns, targets, *, guided=False):
        return super().input_gradients(patterns, targets).tolist()


class NotANumber(Linear):
    def input_gradients(self, patterns, targets, *, guided=False):
        return np.full(patterns.shape, np.nan)


class MapsAlone(Linear):
    def feature_maps(self, patterns, targets, *, stage=None):
        return super().feature_maps(patterns, targets)[0]


class MapsWithWrongSign(Linear):
    def feature_maps(self, patterns, targets, *, stage=None):
        maps, gradients = super().feature_maps(patterns, targets)
        return maps, -gradients


class MapsTwice(Linear):
    def feature_maps(self, patterns, targets, *, stage=None):
        maps, gradients = super().feature_maps(patterns, targets)
        return maps, 2 * gradients


class MapsOfWholeNumbers(Linear):
    def feature_maps(self, patterns, targets, *, stage=None):
        maps, gradients = super().feature_maps(patterns, targets)
        return maps.astype(int), gradients


class PassesItsStageBy(Linear):
    """Every other pixel is in no map, as with a connection past the stage."""

    def feature_maps(self, patterns, targets, *, stage=None):
        maps, gradients = super().feature_maps(patterns, targets)
        return maps[..., ::2], gradients[..., ::2]


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_right_powers_pass_and_none_at_all_is_skipped(check):
    check.run(Linear)
    with pytest.raises(CheckSkipped, match="optional"):
        check.run(NearestMean)


@pytest.mark.parametrize(
    ("broken", "name"),
    [
        (WrongShape, "gradients-have-the-patterns-shape"),
        (WrongSign, "gradients-are-those-of-the-scores"),
        (Twice, "gradients-are-those-of-the-scores"),
        (HalfOfThePixels, "gradients-are-those-of-the-scores"),
        (OfTheProbability, "gradients-are-those-of-the-scores"),
        (WholeNumbers, "gradients-have-the-patterns-shape"),
        (AsAList, "gradients-have-the-patterns-shape"),
        (NotANumber, "gradients-have-the-patterns-shape"),
        (FlatMaps, "feature-maps-have-gradients"),
        (MapsAlone, "feature-maps-have-gradients"),
        (MapsOfWholeNumbers, "feature-maps-have-gradients"),
        (MapsWithWrongSign, "feature-maps-change-as-the-scores"),
        (MapsTwice, "feature-maps-change-as-the-scores"),
        (ReadsMore, "region-holds-all-that-is-read"),
        (Unchanged, "randomised-knows-nothing"),
    ],
)
def test_a_wrong_optional_power_is_caught(broken, name):
    (check,) = [c for c in CHECKS if c.id == f"classifier.{name}"]
    with pytest.raises(CheckFailed):
        check.run(broken)


def test_what_was_found_once_is_not_reported_again():
    outcomes = {r.id: r for r in run_checks("classifier", NotANumber) if "gradients" in r.id}
    assert outcomes["classifier.gradients-have-the-patterns-shape"].outcome == "failed"
    assert outcomes["classifier.gradients-are-those-of-the-scores"].outcome == "skipped"


def test_a_stage_that_is_passed_by_cannot_be_compared():
    (check,) = [c for c in CHECKS if c.id == "classifier.feature-maps-change-as-the-scores"]
    with pytest.raises(CheckSkipped, match="pass it by"):
        check.run(PassesItsStageBy)


def test_a_classifier_without_optional_capabilities_is_whole():
    results = {r.id: r.outcome for r in run_checks("classifier", NearestMean)}
    assert results["classifier.gradients-are-those-of-the-scores"] == "skipped"
    assert results["kit.complete"] == "passed"

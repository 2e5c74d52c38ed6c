"""Each check of classifiers passes a good one and fails one that is broken just so."""

import itertools
import pickle
import zipfile
from typing import ClassVar

import attrs
import numpy as np
import pytest

from speckle_core import Epoch, PatternSet
from speckle_core.testing import (
    CheckFailed,
    CheckSkipped,
    capabilities,
    checks_for,
    run_checks,
    values,
)
from speckle_core.testing.specimens import easy_patterns

OPTIONAL = (*capabilities.CHECKS, *values.CHECKS)


@attrs.define(kw_only=True, eq=False)
class NearestMean:
    """A good classifier: a softmax of the distance to each class's mean, learned step by step."""

    epochs: int = 200
    batch_size: int = 8
    sharpness: float = 0.1
    classes: np.ndarray = attrs.field(init=False, repr=False, default=None)
    means_: np.ndarray = attrs.field(init=False, repr=False, default=None)

    def fit(self, train, valid, *, seed, on_epoch=None):
        rng = np.random.default_rng(seed)
        self.classes = train.classes
        self.means_ = rng.normal(size=(len(self.classes), *train.grid.shape))
        history = []
        for number in range(1, self.epochs + 1):
            order = rng.permutation(len(train))
            for start in range(0, len(order), self.batch_size):
                patterns, labels = train.batch(order[start : start + self.batch_size])
                for pattern, label in zip(patterns, labels, strict=True):
                    row = np.searchsorted(self.classes, label)
                    self.means_[row] += 0.2 * (pattern - self.means_[row])
            history.append(Epoch(number, self.epochs, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0))
            if on_epoch is not None:
                on_epoch(history[-1])
        return history

    def predict_proba(self, patterns):
        far = np.sqrt(np.sum((patterns[:, None] - self.means_) ** 2, axis=(2, 3)))
        odds = np.exp(-self.sharpness * (far - far.min(axis=1, keepdims=True)))
        return odds / odds.sum(axis=1, keepdims=True)

    def save(self, folder):
        np.savez(folder / "means.npz", means=self.means_, classes=self.classes)

    def load(self, folder):
        with np.load(folder / "means.npz", allow_pickle=False) as saved:
            self.means_, self.classes = saved["means"], saved["classes"]


class Unnormalised(NearestMean):
    def predict_proba(self, patterns):
        return 0.9 * super().predict_proba(patterns)


class Signed(NearestMean):
    def predict_proba(self, patterns):
        return 2 * super().predict_proba(patterns) - 0.5


class NotANumber(NearestMean):
    def predict_proba(self, patterns):
        return np.nan * super().predict_proba(patterns)


class OneColumn(NearestMean):
    def predict_proba(self, patterns):
        return super().predict_proba(patterns)[:, :1]


class CountsFromZero(NearestMean):
    def fit(self, train, valid, *, seed, on_epoch=None):
        history = super().fit(train, valid, seed=seed, on_epoch=on_epoch)
        self.classes = np.arange(len(self.classes))
        return history


class Wordless(NearestMean):
    def fit(self, train, valid, *, seed, on_epoch=None):
        super().fit(train, valid, seed=seed, on_epoch=on_epoch)
        return []


class Silent(NearestMean):
    def fit(self, train, valid, *, seed, on_epoch=None):
        return super().fit(train, valid, seed=seed)


class Lazy(NearestMean):
    def fit(self, train, valid, *, seed, on_epoch=None):
        nothing = PatternSet.from_arrays(0 * train.raw(range(8)), train.labels, train.grid)
        return super().fit(nothing, valid, seed=seed, on_epoch=on_epoch)


class OwnSeed(NearestMean):
    def fit(self, train, valid, *, seed, on_epoch=None):
        return super().fit(train, valid, seed=np.random.randint(1 << 30))  # noqa: NPY002


class KeepsItToItself(NearestMean):
    shelf: ClassVar = {}

    def save(self, folder):
        super().save(folder)
        self.shelf["means"] = self.means_

    def load(self, folder):
        super().load(folder)
        self.means_ = self.shelf.get("means", 0 * self.means_)


class ForgetsItsClasses(NearestMean):
    def load(self, folder):
        super().load(folder)
        self.classes = self.classes + 1


class CannotLoad(NearestMean):
    def load(self, folder):
        raise RuntimeError("no reader for this")


class Pickles(NearestMean):
    def save(self, folder):
        super().save(folder)
        (folder / "extra.bin").write_bytes(pickle.dumps(self.means_))


class ZippedPickle(NearestMean):
    def save(self, folder):
        super().save(folder)
        with zipfile.ZipFile(folder / "model.pt", "w") as archive:
            archive.writestr("model/data.pkl", b"")


class SavesNothing(NearestMean):
    def save(self, folder):
        pass


class OverTheBatch(NearestMean):
    def predict_proba(self, patterns):
        return super().predict_proba(patterns - patterns.mean(axis=0))


class InPlace(NearestMean):
    def predict_proba(self, patterns):
        patterns *= 0.5
        return super().predict_proba(patterns)


class Tires(NearestMean):
    def predict_proba(self, patterns):
        self.means_ = self.means_ * 0.9
        return super().predict_proba(patterns)


BROKEN = [
    ("classifier.probabilities-sum-to-one", Unnormalised, "sum to 1 ± 0.1"),
    ("classifier.probabilities-sum-to-one", Signed, "is negative"),
    ("classifier.probabilities-sum-to-one", NotANumber, "NaN or infinite"),
    ("classifier.probabilities-sum-to-one", OneColumn, r"gave shape \(8, 1\)"),
    ("classifier.classes-are-those-of-the-set", CountsFromZero, r"the classes are \[0 1 2 3\]"),
    ("classifier.history-tells-every-epoch", Wordless, "not a list of Epoch"),
    ("classifier.history-tells-every-epoch", Silent, "other epochs"),
    ("classifier.learns-eight-patterns", Lazy, "[0-4] of the 8 training patterns"),
    ("classifier.same-seed-same-result", OwnSeed, "probabilities differ by"),
    ("classifier.saved-and-loaded-in-a-fresh-process", KeepsItToItself, "probabilities differ by"),
    (
        "classifier.saved-and-loaded-in-a-fresh-process",
        ForgetsItsClasses,
        r"became \[2, 3, 5, 17\]",
    ),
    ("classifier.saved-and-loaded-in-a-fresh-process", CannotLoad, "no reader for this"),
    ("classifier.saves-nothing-that-runs-code", Pickles, "extra.bin is a pickle"),
    ("classifier.saves-nothing-that-runs-code", ZippedPickle, "model.pt is a pickle"),
    ("classifier.saves-nothing-that-runs-code", SavesNothing, "it saved no file"),
    ("classifier.alone-is-as-in-a-batch", OverTheBatch, "probabilities differ by"),
    ("classifier.predicting-changes-nothing", InPlace, "input patterns have changed"),
    ("classifier.predicting-changes-nothing", Tires, "a second prediction differs"),
]
CHECKS = {check.id: check for check in checks_for("classifier")}


@pytest.mark.parametrize(
    "check", [check for check in checks_for("classifier") if check not in OPTIONAL], ids=str
)
def test_a_good_classifier_passes(check):
    check.run(NearestMean)


@pytest.mark.parametrize(("name", "broken", "message"), BROKEN)
def test_a_broken_classifier_fails_the_check_of_its_fault(name, broken, message):
    with pytest.raises(CheckFailed, match=message):
        CHECKS[name].run(broken)


def test_a_seed_of_its_own_is_found_in_whatever_state_earlier_work_left():
    state = np.random.get_state()  # noqa: NPY002
    try:
        np.random.seed(1)  # noqa: NPY002 - the one that the check trains under the second time
        with pytest.raises(CheckFailed, match="probabilities differ by"):
            CHECKS["classifier.same-seed-same-result"].run(OwnSeed)
    finally:
        np.random.set_state(state)  # noqa: NPY002


def test_every_check_of_classifiers_has_been_seen_to_fail():
    own = {i for i in CHECKS if not i.startswith("component.")}
    assert {name for name, *_ in BROKEN} == own - {str(check) for check in OPTIONAL}


@attrs.define(kw_only=True, eq=False)
class Recorder(NearestMean):
    """Notes the options under which it was trained."""

    seen: ClassVar = []

    def fit(self, train, valid, *, seed, on_epoch=None):
        self.seen.append((self.epochs, self.batch_size))
        return super().fit(train, valid, seed=seed, on_epoch=on_epoch)


@pytest.mark.parametrize(
    ("options", "trainings"),
    [
        ({}, {(2, 4), (40, 4)}),
        ({"epochs": 70}, {(2, 4), (70, 4)}),
        ({"epochs": 1, "batch_size": 3}, {(1, 3)}),
    ],
)
def test_training_is_cut_short_unless_the_caller_says_how_long(options, trainings):
    Recorder.seen.clear()
    run_checks("classifier", Recorder, options=options)
    assert set(Recorder.seen) == trainings
    # One hardly trained network for all checks, a second for the same seed, one that must learn.
    assert len(Recorder.seen) == 3


class Untrained(NearestMean):
    """Knows its classes and learns nothing, and its history says so."""

    def fit(self, train, valid, *, seed, on_epoch=None):
        super().fit(train, valid, seed=seed)
        self.means_ *= 0
        unknown = float("nan")
        return [Epoch(1, 1, unknown, unknown, unknown, unknown, 0.0, 0.0)]


def test_a_classifier_without_training_accuracy_is_not_asked_to_learn():
    with pytest.raises(CheckSkipped, match="does not claim to learn"):
        CHECKS["classifier.learns-eight-patterns"].run(Untrained)


def test_a_class_that_no_other_process_can_find_is_skipped():
    class Local(NearestMean):
        pass

    with pytest.raises(CheckSkipped, match="define it in a module"):
        CHECKS["classifier.saved-and-loaded-in-a-fresh-process"].run(Local)


def test_the_easy_patterns_are_easy_and_prepared():
    """The second moment of |k| alone tells the four classes apart."""
    patterns = easy_patterns(3)
    images, labels = patterns.batch(range(8))
    light = images - images.min(axis=(1, 2), keepdims=True)
    width = np.sum(light * patterns.grid.distance() ** 2, axis=(1, 2)) / light.sum(axis=(1, 2))
    for few, many in itertools.pairwise([1, 2, 4, 16]):
        assert width[labels == few].max() < width[labels == many].min()
    np.testing.assert_allclose(images.mean(axis=(1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(images.std(axis=(1, 2)), 1, rtol=1e-5)


def test_the_kit_never_trains_for_longer_than_the_default():
    @attrs.define(kw_only=True, eq=False)
    class Once(Recorder):
        epochs: int = 1
        batch_size: int = 2

    Recorder.seen.clear()
    run_checks("classifier", Once)
    assert set(Recorder.seen) == {(1, 2)}

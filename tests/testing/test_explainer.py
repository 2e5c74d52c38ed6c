"""Each check of explainers passes a good one and fails one that is broken just so."""

import attrs
import numpy as np
import pytest

from speckle_core import PluginError
from speckle_core.testing import CheckFailed, checks_for, run_checks
from speckle_core.testing.specimens import TinyNetwork


@attrs.frozen(kw_only=True)
class Gradient:
    """A good explainer."""

    def explain(self, classifier, patterns, targets):
        if not hasattr(classifier, "input_gradients"):
            raise PluginError("'gradient' needs gradients")
        return classifier.input_gradients(patterns, targets)


class OneRow(Gradient):
    def explain(self, classifier, patterns, targets):
        return super().explain(classifier, patterns, targets)[:, 0]


class Complex(Gradient):
    def explain(self, classifier, patterns, targets):
        return 1j * super().explain(classifier, patterns, targets)


class Relative(Gradient):
    def explain(self, classifier, patterns, targets):
        with np.errstate(invalid="ignore", divide="ignore"):
            return super().explain(classifier, patterns, targets) / patterns.std(
                axis=(1, 2), keepdims=True
            )


class Trains(Gradient):
    def explain(self, classifier, patterns, targets):
        found = super().explain(classifier, patterns, targets)
        classifier.weights[0, 0] += 1e-6
        return found


class Blanks(Gradient):
    def explain(self, classifier, patterns, targets):
        found = super().explain(classifier, patterns, targets)
        patterns[:, 0, 0] = 0
        return found


class Retargets(Gradient):
    def explain(self, classifier, patterns, targets):
        found = super().explain(classifier, patterns, targets)
        targets[:] = 0
        return found


class AlwaysTheFirst(Gradient):
    def explain(self, classifier, patterns, targets):
        return super().explain(classifier, patterns, 0 * targets)


class EdgeDetector(Gradient):
    def explain(self, classifier, patterns, targets):
        return np.abs(np.gradient(patterns, axis=1)) * (1.0 + targets[:, None, None])


class OverTheBatch(Gradient):
    def explain(self, classifier, patterns, targets):
        found = super().explain(classifier, patterns, targets)
        return found / np.abs(found).sum()


class Crashes(Gradient):
    def explain(self, classifier, patterns, targets):
        return classifier.input_gradients(patterns, targets)


BROKEN = [
    ("explainer.shape", OneRow, r"gave \(4, 33\)"),
    ("explainer.shape", Complex, "not floating"),
    ("explainer.finite", Relative, "NaN or infinity"),
    ("explainer.model-unchanged", Trains, "weights have changed"),
    ("explainer.input-unchanged", Blanks, "input patterns have changed"),
    ("explainer.input-unchanged", Retargets, "input targets have changed"),
    ("explainer.depends-on-the-target", AlwaysTheFirst, "two classes have the same maps"),
    ("explainer.depends-on-the-model", EdgeDetector, "two networks have the same maps"),
    ("explainer.alone-is-as-in-a-batch", OverTheBatch, "another map alone"),
    ("explainer.refuses-clearly", Crashes, "it failed with AttributeError"),
]
CHECKS = {check.id: check for check in checks_for("explainer")}


@pytest.mark.parametrize("check", checks_for("explainer"), ids=str)
def test_a_good_explainer_passes(check):
    check.run(Gradient)


@pytest.mark.parametrize(("name", "broken", "message"), BROKEN)
def test_a_broken_explainer_fails_the_check_of_its_fault(name, broken, message):
    with pytest.raises(CheckFailed, match=message):
        CHECKS[name].run(broken)


def test_every_check_of_explainers_has_been_seen_to_fail():
    assert {name for name, *_ in BROKEN} == {i for i in CHECKS if not i.startswith("component.")}


def test_an_explainer_of_another_power_is_skipped_and_not_passed():
    class NeedsMore(Gradient):
        def explain(self, classifier, patterns, targets):
            raise PluginError("'more' needs relevances")

    outcomes = {r.id: r.outcome for r in run_checks("explainer", NeedsMore)}
    assert outcomes["explainer.depends-on-the-target"] == "skipped"
    assert outcomes["explainer.refuses-clearly"] == "passed"


@pytest.mark.parametrize("guided", [False, True])
def test_the_kit_s_network_differentiates_its_own_score(guided):
    """Central differences of the score; guidance changes nothing where all weights are positive."""
    network = TinyNetwork.from_seed(5)
    if guided:
        network = attrs.evolve(network, weights=np.abs(network.weights))
    pattern = np.random.default_rng(5).normal(size=(1, 6, 7))
    targets = np.array([2])
    found = network.input_gradients(pattern, targets, guided=guided)

    def score(image):
        maps, _ = network.feature_maps(image, targets)
        return maps.mean(axis=(2, 3))[0] @ network.weights[2]

    for y, x in [(0, 0), (2, 3), (5, 6), (4, 1)]:
        bump = np.zeros_like(pattern)
        bump[0, y, x] = 1e-6
        slope = (score(pattern + bump) - score(pattern - bump)) / 2e-6
        assert found[0, y, x] == pytest.approx(slope, rel=1e-6, abs=1e-9)

"""Any model through the door: `KerasClassifier`."""

import os
import random
import runpy
from pathlib import Path

import attrs
import numpy as np
import pytest

from speckle_core.errors import ModelError, PatternError, PluginError
from speckle_core.plugins.scaffold import NewPlugin
from speckle_core.testing import CheckSkipped, Subject, checks_for
from tests.plugins.speckle_keras.inside.own_network import Own, own
from tests.plugins.speckle_keras.inside.small_network import easy, timeless, uncompiled

PATTERNS = easy(5, 7).batch(range(5))[0]
TARGETS = np.array([0, 1, 2, 0, 1])
SETS = easy(12), easy(6, 1)
TENSORFLOW = os.environ["KERAS_BACKEND"] == "tensorflow"
#: The paper's network is loaded so in `inside_kit.py`; a process takes seconds to import Keras.
ELSEWHERE = "classifier.saved-and-loaded-in-a-fresh-process"
#: All else is asked of a network on TensorFlow in `inside_kit.py`.
CHECKS = [
    check
    for check in checks_for("classifier")
    if check.id != ELSEWHERE and ("value" in check.id or not TENSORFLOW)
]
IN_FEW_STEPS = {"epochs": 20, "batch_size": 8, "learning_rate": 0.05, "precision": "float32"}


@pytest.fixture(scope="module")
def fitted():
    one = own(optimizer="adamw", schedule="cosine", label_smoothing=0.1)
    return one, one.fit(*SETS, seed=3)


@pytest.fixture(scope="module")
def subject():
    return Subject(Own, IN_FEW_STEPS)


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_it_conforms_to_the_kit(check, subject):
    with uncompiled():
        try:
            check.run(subject)
        except CheckSkipped as skipped:
            pytest.skip(skipped.what)


def test_a_stopped_training_with_dropout_goes_on_as_if_nothing_had_happened(fitted, tmp_path):
    def interrupt(_):
        raise KeyboardInterrupt

    for on_epoch in (interrupt, None):
        again = own(optimizer="adamw", schedule="cosine", label_smoothing=0.1)
        again.checkpoint_in(tmp_path)
        try:
            history = again.fit(*SETS, seed=3, on_epoch=on_epoch)
        except KeyboardInterrupt:
            random.seed(4)
    assert timeless(history) == timeless(fitted[1])
    assert (again.predict_proba(PATTERNS) == fitted[0].predict_proba(PATTERNS)).all()


def test_maps_and_gradients_are_those_written_out_by_hand(fitted):
    """From the weights with NumPy: the last maps, the mean over them, and the dense layer."""
    one = fitted[0]
    network = one._fitted.network
    assert network.layers == ("conv2d", "dropout", "conv2d_1", "re_lu")
    maps, gradients = one.feature_maps(PATTERNS, TARGETS)
    kernel, bias = (network.weights()[name] for name in ("004.kernel", "005.bias"))
    scores = maps.mean((2, 3)) @ kernel + bias
    odds = np.exp(scores - scores.max(1, keepdims=True))
    probabilities = odds / odds.sum(1, keepdims=True)
    np.testing.assert_allclose(one.predict_proba(PATTERNS), probabilities, rtol=1e-4, atol=1e-6)
    expected = kernel[:, TARGETS].T[:, :, None, None] / maps[0, 0].size
    np.testing.assert_allclose(gradients, np.broadcast_to(expected, maps.shape), rtol=1e-5)
    before, slopes = one.feature_maps(PATTERNS, TARGETS, stage="conv2d_1")
    np.testing.assert_allclose(maps, np.maximum(before, 0))
    np.testing.assert_allclose(slopes, np.where(before > 0, gradients, 0))


def test_guided_gradients_pass_back_what_is_positive(fitted):
    """Of the last ReLU: where the dense layer speaks against a class, nothing comes through."""
    one = fitted[0]
    plain, guided = (one.input_gradients(PATTERNS, TARGETS, guided=g) for g in (False, True))
    assert np.abs(plain - guided).max() > 0.01 * np.abs(plain).max()
    network = one._fitted.network
    weights = network.weights()
    network.fill(weights | {"004.kernel": -np.abs(weights["004.kernel"])})
    assert (one.input_gradients(PATTERNS, TARGETS, guided=True) == 0).all()
    network.fill(weights)


def test_files_come_back_and_other_options_are_refused(fitted, tmp_path):
    fitted[0].save(tmp_path)
    again = own()
    again.load(tmp_path)
    assert (again.predict_proba(PATTERNS) == fitted[0].predict_proba(PATTERNS)).all()
    with pytest.raises(ModelError, match="width = 6, but the options say 5"):
        own(width=5).load(tmp_path)


@attrs.define(kw_only=True, eq=False)
class Wrong(Own):
    def network(self, shape, classes):
        from keras import Sequential, layers

        return Sequential([layers.Flatten(), layers.Dense(classes + 1 - self.width)])


def test_what_is_no_classifier_and_what_is_of_another_size_are_refused():
    with pytest.raises(PluginError, match="not one score for each of 3 classes"):
        Wrong(width=0, epochs=1).fit(*SETS, seed=1)
    one = Wrong(width=1, epochs=1)
    one.fit(*SETS, seed=1)
    with pytest.raises(PatternError, match="the network reads 33 × 33 pixels, not 31 × 31"):
        one.predict_proba(PATTERNS[:, :31, :31])


@pytest.mark.skipif(not TENSORFLOW, reason="Keras' own default is what a new plugin begins with")
def test_a_network_as_the_scaffold_writes_it_passes_its_own_test(tmp_path, monkeypatch):
    NewPlugin.named("strange-net", "classifier", "keras").write(tmp_path / "written")
    monkeypatch.syspath_prepend(tmp_path / "written")
    place = tmp_path / "written" / "tests" / "test_physics.py"
    tests = runpy.run_path(str(place))
    tests["test_patterns_whose_light_is_spread_differently_are_distinguished"]()
    assert (
        'requires=("keras", "safetensors"),'
        in Path(tmp_path / "written" / "strange_net" / "plugin.py").read_text()
    )


@pytest.mark.skipif(not TENSORFLOW, reason="TensorFlow's data set")
def test_patterns_are_a_data_set_of_tensorflow():
    patterns = easy(5)
    dataset = patterns.as_tf(batch_size=2)
    assert int(dataset.cardinality()) == 3
    batches = [(x.numpy(), y.numpy()) for x, y in dataset]
    values, labels = patterns.as_arrays()
    np.testing.assert_array_equal(np.concatenate([x for x, _ in batches])[..., 0], values)
    columns = np.concatenate([y for _, y in batches])
    np.testing.assert_array_equal(patterns.classes[columns], labels)


def test_losses_of_values_are_those_of_the_values_that_it_reads():
    train, valid = (p.with_values(70 + 10 * p.labels) for p in SETS)
    one = own(epochs=2)
    history = one.fit(train, valid, seed=3)
    scale = train.value_scale()[1]
    value, spread = one.predict_values(np.asarray(valid)).T
    away = (valid.values - value) / spread
    best = min(history, key=lambda epoch: epoch.valid_loss)
    expected = (np.log(spread / scale) + away**2 / 2).mean()
    assert best.valid_loss == pytest.approx(expected, rel=1e-4)
    with pytest.raises(ModelError, match="learned a value"):
        one.predict_proba(PATTERNS)

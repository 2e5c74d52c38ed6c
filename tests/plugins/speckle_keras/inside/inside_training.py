import math
import os
import random
import shutil
import threading

import numpy as np
import pytest
from safetensors.numpy import load_file

from speckle_core.contracts.capabilities import SupportsCheckpoints
from speckle_core.contracts.roles import Classifier
from speckle_core.errors import DataError, ModelError, OptionError, PluginError
from speckle_keras.backend import engine, keras
from tests.plugins.speckle_keras.inside.small_network import (
    SETS,
    TRAINED,
    easy,
    small,
    timeless,
    uncompiled,
)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """Return a training like `conftest.training` that Ctrl-C ends after its second epoch."""
    folder = tmp_path_factory.mktemp("stopped")

    def interrupt(epoch):
        if epoch.number == 2:
            raise KeyboardInterrupt

    one = small(**TRAINED)
    one.checkpoint_in(folder)
    with pytest.raises(KeyboardInterrupt):
        one.fit(*SETS, seed=3, on_epoch=interrupt)
    return one, folder


def test_an_interrupt_passes_through_and_leaves_no_thread(stopped):
    assert not [t for t in threading.enumerate() if t.name.startswith("speckle-feed")]
    with pytest.raises(ModelError, match="not trained"):
        stopped[0].predict_proba(np.zeros((1, 33, 33)))


def test_a_stopped_training_goes_on_as_if_nothing_had_happened(training, stopped, tmp_path):
    """So one seed gives one history, too: the first epochs were computed a second time."""
    whole, unbroken = training
    again = small(**TRAINED)
    again.checkpoint_in(shutil.copytree(stopped[1], tmp_path / "state"))
    heard = []
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    states = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    assert timeless(again.fit(*SETS, seed=3, on_epoch=heard.append)) == timeless(unbroken)
    assert [e.number for e in heard] == [3, 4]
    assert random.getstate() == states[0]
    assert np.random.get_state()[1].tolist() == states[1]  # noqa: NPY002
    patterns = easy(6, 7).batch(range(6))[0]
    assert (again.predict_proba(patterns) == whole.predict_proba(patterns)).all()


def test_a_checkpoint_of_another_framework_is_refused(stopped, tmp_path, monkeypatch):
    monkeypatch.setattr("speckle_keras.framework.KerasFramework.name", "another")
    one = small(**TRAINED)
    one.checkpoint_in(shutil.copytree(stopped[1], tmp_path / "state"))
    backend = os.environ["KERAS_BACKEND"]
    with pytest.raises(ModelError, match=f"framework was 'keras on {backend}'.*'another'"):
        one.fit(*SETS, seed=3)


def test_it_learns_easy_patterns_and_predicts_unseen_ones():
    one = small(epochs=12, learning_rate=6e-3, schedule="one-cycle", batch_size=8)
    assert isinstance(one, Classifier)
    assert isinstance(one, SupportsCheckpoints)
    history = one.fit(easy(48), easy(12, 1), seed=0)
    assert len(history) == 12
    unseen = easy(30, 2)
    probabilities = one.predict_proba(unseen.batch(range(30))[0])
    np.testing.assert_allclose(probabilities.sum(1), 1)
    assert (one.classes[probabilities.argmax(1)] == unseen.labels).mean() >= 0.9


def test_the_first_steps_averages_are_those_of_the_first_batch(tmp_path):
    """Not Keras' 0.99 of where they started: the stem's, computed here from its convolution."""
    train = easy(6)
    one = small(epochs=1, learning_rate=1e-12)
    with uncompiled():
        (epoch,) = one.fit(train, easy(0), seed=2)
    # Without a validation set, the last epoch is what is kept.
    assert math.isnan(epoch.valid_loss)
    assert math.isnan(epoch.valid_accuracy)
    one.save(tmp_path)
    weights = load_file(tmp_path / "weights.safetensors")
    patterns = np.pad(train.raw(range(6)), [(0, 0), (3, 3), (3, 3)])
    windows = np.lib.stride_tricks.sliding_window_view(patterns, (7, 7), axis=(1, 2))[:, ::2, ::2]
    sums = np.einsum("byxij,ijc->byxc", windows, weights["stem.conv.kernel"][:, :, 0])
    for part, expected in (
        ("moving_mean", sums.mean((0, 1, 2))),
        ("moving_variance", sums.reshape(-1, 5).var(0, ddof=1)),
    ):
        np.testing.assert_allclose(weights[f"stem.bn.{part}"], expected, rtol=1e-4, atol=1e-6)


def test_the_epoch_with_the_least_validation_loss_predicts_and_the_last_is_kept(tmp_path):
    valid = easy(9, 1)
    # Of the middle 17 × 17 pixels, the rows with ky ≥ 0: the network reads 9 × 17.
    one = small(epochs=6, learning_rate=0.1, crop=17, half=True)
    losses = [e.valid_loss for e in one.fit(easy(18), valid, seed=1)]
    assert losses[-1] > min(losses)
    patterns, labels = valid.batch(range(9))
    chosen = one.predict_proba(patterns)[np.arange(9), np.searchsorted(one.classes, labels)]
    assert -np.log(chosen).mean() == pytest.approx(min(losses), rel=1e-4)
    one.save(tmp_path)
    best, last = (load_file(tmp_path / f"{n}.safetensors") for n in ("weights", "last"))
    assert any((best[name] != last[name]).any() for name in best)


def test_a_loss_that_explodes_is_named():
    with uncompiled(), pytest.raises(ModelError, match=r"the loss became .* in epoch"):
        small(learning_rate=1e38).fit(easy(12), easy(0), seed=1)


def test_what_cannot_be_learnt_from_is_refused():
    with pytest.raises(DataError, match="1 training patterns"):
        small().fit(easy(1), easy(0), seed=1)


@pytest.mark.parametrize("device", ["cuda:99", "tpu", "cuda:x", "xpu"])
def test_a_device_that_is_not_there_is_refused(device):
    with pytest.raises(OptionError, match=device) as caught:
        small(device=device).fit(easy(6), easy(0), seed=1)
    assert caught.value.where == "device"


def test_several_processes_of_torchrun_are_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    with pytest.raises(PluginError, match="one process"):
        small().fit(easy(6), easy(0), seed=1)


def test_bfloat16_trains_and_predicts_nearly_as_float32(trained):
    patterns = easy(6, 7).batch(range(6))[0]
    one = small(**TRAINED, precision="bfloat16")
    one.fit(*SETS, seed=3)
    found = one.predict_proba(patterns)
    assert 0 < abs(found - trained.predict_proba(patterns)).max() < 0.1
    # Gradients stay float32: they are no multiples of bfloat16's coarse steps.
    gradients = one.input_gradients(patterns, [0] * 6)
    assert (gradients.view(np.uint32) & 0xFFFF).any()


@pytest.mark.parametrize(
    "kind", [keras.optimizers.Adam, keras.optimizers.AdamW], ids=["adam", "adamw"]
)
def test_a_fused_step_is_that_of_keras_formula(kind):
    rng = np.random.default_rng(0)
    start, steps = rng.normal(size=4), rng.normal(size=(3, 4)) * [1, 1e-3, 10, 0]
    found = []
    for made in (kind, engine.fused(kind)):
        variable = keras.Variable(start.astype(np.float32))
        optimizer = made(learning_rate=0.01, weight_decay=0.1, epsilon=1e-5)
        optimizer.build([variable])
        for gradient in steps:
            optimizer.apply([keras.ops.convert_to_tensor(gradient.astype(np.float32))])
        found.append([keras.ops.convert_to_numpy(v) for v in (variable, *optimizer.variables)])
    for own, fused in zip(*found, strict=True):
        # TensorFlow takes 0.999 from 1 in float32, which costs 1.3e-5.
        np.testing.assert_allclose(fused, own, rtol=2e-5, atol=1e-9)
    assert np.abs(found[0][0] - start).min() > 1e-4


def test_rare_classes_and_smoothed_labels_weigh_in_the_loss_as_the_formula_has_it():
    from speckle_keras.training import KerasTrainer
    from speckle_networks.options import TrainingOptions

    rng = np.random.default_rng(0)
    scores, targets = rng.normal(size=(5, 3)).astype(np.float32), np.array([0, 2, 2, 1, 0])
    weights = np.array([0.5, 2.0, 1.0], dtype=np.float32)
    logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    plain = -logs[np.arange(5), targets]
    for smoothing in (0.0, 0.2):
        one = object.__new__(KerasTrainer)
        one._weights, one._values = weights, False
        one._options = TrainingOptions(label_smoothing=smoothing)
        wanted, (loss, _) = one._losses(scores, targets)
        smooth = (1 - smoothing) * plain - smoothing * logs.mean(axis=1)
        assert float(wanted) == pytest.approx((smooth * weights[targets]).sum(), rel=1e-5)
        assert float(loss) == pytest.approx(plain.sum(), rel=1e-5)

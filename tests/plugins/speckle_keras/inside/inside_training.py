import math
import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from speckle_core.contracts.capabilities import SupportsCheckpoints
from speckle_core.contracts.roles import Classifier
from speckle_core.errors import DataError, ModelError, OptionError, PluginError
from tests.plugins.speckle_keras.inside.small_network import easy, small, timeless


class Killed(Exception):
    pass


def killed_after(epoch):
    def on_epoch(done):
        if done.number == epoch:
            raise Killed

    return on_epoch


def test_it_learns_easy_patterns_and_predicts_unseen_ones():
    one = small(epochs=25, learning_rate=3e-3, schedule="one-cycle", batch_size=8)
    assert isinstance(one, Classifier)
    assert isinstance(one, SupportsCheckpoints)
    history = one.fit(easy(48), easy(12, 1), seed=0)
    assert len(history) == 25
    unseen = easy(30, 2)
    probabilities = one.predict_proba(unseen.batch(range(30))[0])
    np.testing.assert_allclose(probabilities.sum(1), 1)
    assert (one.classes[probabilities.argmax(1)] == unseen.labels).mean() >= 0.9


def test_one_seed_gives_one_history_and_touches_no_random_state():
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    states = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    sets = easy(20), easy(6, 1)
    first, again, other = (small(augment="flips").fit(*sets, seed=seed) for seed in (3, 3, 4))
    assert timeless(first) == timeless(again)
    assert timeless(first) != timeless(other)
    assert random.getstate() == states[0]
    assert np.random.get_state()[1].tolist() == states[1]  # noqa: NPY002


def test_the_first_steps_averages_are_those_of_the_first_batch(tmp_path):
    """Not Keras' 0.99 of where they started: the stem's, computed here from its convolution."""
    train = easy(6)
    one = small(epochs=1, learning_rate=1e-12)
    one.fit(train, easy(0), seed=2)
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
    one = small(epochs=6, learning_rate=0.1)
    losses = [e.valid_loss for e in one.fit(easy(18), valid, seed=1)]
    assert losses[-1] > min(losses)
    patterns, labels = valid.batch(range(9))
    chosen = one.predict_proba(patterns)[np.arange(9), np.searchsorted(one.classes, labels)]
    assert -np.log(chosen).mean() == pytest.approx(min(losses), rel=1e-4)
    one.save(tmp_path)
    best, last = (load_file(tmp_path / f"{n}.safetensors") for n in ("weights", "last"))
    assert any((best[name] != last[name]).any() for name in best)


def test_without_a_validation_set_the_last_epoch_predicts():
    history = small(epochs=2).fit(easy(12), easy(0), seed=1)
    assert all(math.isnan(e.valid_loss) and math.isnan(e.valid_accuracy) for e in history)


@pytest.mark.parametrize(
    ("options", "epoch"),
    [
        ({"schedule": "one-cycle", "augment": "flips"}, 1),
        ({"schedule": "plateau", "learning_rate": 0.05, "crop": 17, "half": True}, 3),
    ],
)
def test_a_killed_training_goes_on_as_if_nothing_had_happened(tmp_path, options, epoch):
    sets = easy(20), easy(6, 1)
    whole = small(**options)
    unbroken = whole.fit(*sets, seed=3)

    broken = small(**options)
    broken.checkpoint_in(tmp_path)
    with pytest.raises(Killed):
        broken.fit(*sets, seed=3, on_epoch=killed_after(epoch))
    again = small(**options)
    again.checkpoint_in(tmp_path)
    assert timeless(again.fit(*sets, seed=3)) == timeless(unbroken)
    patterns = easy(6, 7).batch(range(6))[0]
    assert (again.predict_proba(patterns) == whole.predict_proba(patterns)).all()


SIGKILL = """
import os, signal, sys
from pathlib import Path
from tests.plugins.speckle_keras.inside.small_network import easy, small, timeless
one = small()
one.checkpoint_in(Path(sys.argv[1]))
def on_epoch(epoch):
    os.kill(os.getpid(), signal.SIGKILL)
one.fit(easy(20), easy(6, 1), seed=3, on_epoch=on_epoch)
"""


def test_a_process_killed_outright_loses_nothing_that_was_finished(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[4])}
    process = subprocess.run(
        [sys.executable, "-c", SIGKILL, str(tmp_path)], env=environment, timeout=120
    )
    assert process.returncode == -9
    heard = []
    one = small()
    one.checkpoint_in(tmp_path)
    history = one.fit(easy(20), easy(6, 1), seed=3, on_epoch=heard.append)
    assert [e.number for e in heard] == [2, 3, 4]
    assert timeless(history) == timeless(small().fit(easy(20), easy(6, 1), seed=3))


def test_a_checkpoint_of_another_framework_is_refused(tmp_path):
    one = small(epochs=2)
    one.checkpoint_in(tmp_path)
    with pytest.raises(Killed):
        one.fit(easy(12), easy(0), seed=1, on_epoch=killed_after(1))
    index = tmp_path / "checkpoint.json"
    backend = os.environ["KERAS_BACKEND"]
    index.write_text(index.read_text().replace(f"keras on {backend}", "torch"))
    with pytest.raises(ModelError, match=f"framework was 'torch', but is now 'keras on {backend}'"):
        one.fit(easy(12), easy(0), seed=1)


def test_an_interrupt_passes_through_and_leaves_no_thread():
    def interrupt(_):
        raise KeyboardInterrupt

    one = small()
    with pytest.raises(KeyboardInterrupt):
        one.fit(easy(12), easy(0), seed=1, on_epoch=interrupt)
    assert not [t for t in threading.enumerate() if t.name.startswith("speckle-feed")]
    with pytest.raises(ModelError, match="not trained"):
        one.predict_proba(np.zeros((1, 33, 33)))


def test_a_loss_that_explodes_is_named():
    with pytest.raises(ModelError, match=r"the loss became .* in epoch"):
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


def test_bfloat16_trains_and_predicts_nearly_as_float32():
    patterns = easy(6, 7).batch(range(6))[0]
    probabilities = []
    for precision in ("float32", "bfloat16"):
        one = small(precision=precision, epochs=1)
        one.fit(easy(12), easy(0), seed=1)
        probabilities.append(one.predict_proba(patterns))
        gradients = one.input_gradients(patterns, [0] * 6)
    assert 0 < abs(probabilities[0] - probabilities[1]).max() < 0.1
    # Gradients stay float32: they are no multiples of bfloat16's coarse steps.
    assert (gradients.view(np.uint32) & 0xFFFF).any()

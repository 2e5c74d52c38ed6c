"""A network that learns a value: two outputs, the value and the logarithm of its spread."""

from unittest import mock

import h5py
import numpy as np
import pytest

from speckle_core import Experiment, load_data, load_model, plugin_manager
from speckle_core.errors import DataError, ModelError, OptionError
from speckle_core.figures import style
from tests.plugins.speckle_torch.tiny_network import TinyPlugin, easy, tiny

PATTERNS = easy(6, 5).batch(range(6))[0]


def with_values(count, seed=0):
    patterns = easy(count, seed)
    return patterns.with_values(70 + 10 * patterns.labels)


SETS = with_values(24), with_values(9, 1)


def timeless(history):
    return [(e.loss, e.accuracy, e.valid_loss, e.valid_accuracy) for e in history]


@pytest.fixture(scope="module")
def fitted():
    one = tiny()
    return one, one.fit(*SETS, seed=3)


def test_reported_losses_are_those_of_the_values_that_it_reads(fitted):
    one, history = fitted
    truth, (mean, scale) = SETS[1].values, SETS[0].value_scale()
    value, spread = one.predict_values(np.asarray(SETS[1])).T
    away, logs = (truth - value) / scale, np.log(spread / scale)
    best = min(history, key=lambda epoch: epoch.valid_loss)
    assert best.valid_loss == pytest.approx(
        (logs + (away * scale / spread) ** 2 / 2).mean(), rel=1e-4
    )
    assert best.valid_accuracy == pytest.approx(1 - (away**2).mean(), rel=1e-4)
    assert mean == pytest.approx(70 + 10 * SETS[0].labels.mean())


def test_a_stopped_training_of_values_goes_on_as_if_nothing_had_happened(fitted, tmp_path):
    def interrupt(epoch):
        if epoch.number == 2:
            raise KeyboardInterrupt

    again = tiny()
    again.checkpoint_in(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        again.fit(*SETS, seed=3, on_epoch=interrupt)
    again = tiny()
    again.checkpoint_in(tmp_path)
    assert timeless(again.fit(*SETS, seed=3)) == timeless(fitted[1])
    np.testing.assert_array_equal(
        again.predict_values(PATTERNS), fitted[0].predict_values(PATTERNS)
    )


def test_a_checkpoint_of_other_values_is_another_training(tmp_path):
    one = tiny(epochs=1)
    one.checkpoint_in(tmp_path)
    one.fit(*SETS, seed=3)
    with pytest.raises(ModelError, match="training patterns"):
        one.fit(SETS[0].with_values(SETS[0].values + 1), SETS[1], seed=3)


def test_a_saved_network_reads_the_same_and_a_damaged_one_is_told(fitted, tmp_path):
    fitted[0].save(tmp_path)
    other = tiny()
    other.load(tmp_path)
    np.testing.assert_array_equal(
        other.predict_values(PATTERNS), fitted[0].predict_values(PATTERNS)
    )
    assert other.classes.size == 0
    state = tmp_path / "state.toml"
    for wrong in ("spread = 0.0 #", "spread = nan #", "spread = 'x' #"):
        state.write_text(state.read_text().replace("spread = ", wrong, 1))
        with pytest.raises(ModelError, match="values"):
            tiny().load(tmp_path)
        state.write_text(state.read_text().replace(wrong, "spread = ", 1))


def test_values_and_classes_are_not_mixed_up(fitted):
    with pytest.raises(ModelError, match="learned a value"):
        fitted[0].predict_proba(PATTERNS)
    classes = tiny(epochs=1)
    classes.fit(easy(12), easy(6, 1), seed=0)
    with pytest.raises(ModelError, match="learned classes"):
        classes.predict_values(PATTERNS)
    with pytest.raises(DataError, match="columns 0…0"):
        fitted[0].input_gradients(PATTERNS, np.ones(6, np.int64))
    with pytest.raises(DataError, match="the same in all patterns"):
        tiny().fit(easy(12).with_values(np.ones(12)), SETS[1], seed=0)


def test_weights_of_classes_are_refused_where_a_value_is_learned():
    with pytest.raises(OptionError, match="a value has none"):
        tiny(class_weights="balanced").fit(*SETS, seed=3)


def test_what_was_learned_of_classes_can_start_a_network_of_values(tmp_path):
    classes = tiny(epochs=1)
    classes.fit(easy(12), easy(6, 1), seed=0)
    classes.save(tmp_path)
    one = tiny(epochs=1, learning_rate=1e-12)
    one.start_from(tmp_path)
    one.fit(*SETS, seed=0)
    theirs, ours = (c._fitted.network.weights() for c in (classes, one))
    np.testing.assert_allclose(ours["stem.conv.kernel"], theirs["stem.conv.kernel"], atol=1e-9)
    assert ours["dense.kernel"].shape[1] == 2


def test_a_random_control_has_the_same_outputs(fitted):
    control = fitted[0].randomised(seed=9)
    assert control.predict_values(PATTERNS).shape == (6, 2)
    assert np.abs(control.predict_values(PATTERNS) - fitted[0].predict_values(PATTERNS)).max() > 0


@pytest.fixture
def installed():
    plugin_manager.cache_clear()
    plugin_manager().register(TinyPlugin(), "tests")
    yield
    plugin_manager.cache_clear()


@pytest.mark.usefixtures("installed")
def test_maps_of_a_run_of_values_are_its_gradients(tmp_path, invoke):
    experiment = Experiment.from_dict(
        {
            "name": "small",
            "structure": {"counts": [2, 3], "patterns_per_count": 20},
            "grid": {"size": 33},
            "prepare": [{"name": "standardize"}],
            "split": {"train": 20, "valid": 10, "test": 10},
            "classifier": {"name": "tiny", "epochs": 1, "device": "cpu"},
            "explainers": ["saliency"],
            "target": {"quantity": "mean-radius"},
        }
    )
    (tmp_path / "e.toml").write_text(experiment.to_toml())
    with mock.patch.object(style, "DPI", 50):  # of the pictures only the names are asked for
        done = invoke("run", tmp_path / "e.toml", "-o", tmp_path / "run")
    assert done.exit_code == 0, done.stderr
    assert ("R²" in done.stderr, "accuracy" in done.stderr) == (True, False)
    one = load_model(tmp_path / "run").pipeline.classifier
    with h5py.File(tmp_path / "run" / "explanations" / "explanations.h5") as file:
        prepared, found = file["patterns"][()], file["maps/saliency"][()]
        np.testing.assert_allclose(file["values"][()], one.predict_values(prepared)[:, 0])
    expected = np.abs(one.input_gradients(prepared, np.zeros(len(prepared), np.int64)))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6 * expected.max())
    pictures = sorted(p.name for p in (tmp_path / "run" / "explanations").glob("*.png"))
    assert len(pictures) == 2
    np.save(tmp_path / "one.npy", load_data(tmp_path / "run").patterns().raw([0]))
    drawn = invoke(
        "explain", tmp_path / "run" / "model", tmp_path / "one.npy", "-o", tmp_path / "m"
    )
    assert "mean radius" in drawn.stdout
    assert len(list((tmp_path / "m").glob("*.png"))) == 1

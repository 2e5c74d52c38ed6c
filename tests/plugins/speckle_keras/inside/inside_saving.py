import os

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from speckle_core.errors import ModelError, OutputError
from speckle_keras.backend import keras
from speckle_resnet.architecture import tensors
from tests.plugins.speckle_keras.inside.small_network import SMALL, small


@pytest.fixture
def saved(trained, tmp_path):
    trained.save(tmp_path)
    return tmp_path


def test_a_folder_holds_safetensors_and_toml_in_the_neutral_layout(trained, saved):
    names = {p.name for p in saved.iterdir()}
    assert names <= {"weights.safetensors", "last.safetensors", "state.toml"}
    arrays = load_file(saved / "weights.safetensors")
    assert {n: a.shape for n, a in arrays.items()} == tensors(SMALL, 3, 3)
    model = trained._fitted.network.model
    live = keras.ops.convert_to_numpy(model.at["stage2.block1.conv2"].kernel)
    assert arrays["stage2.block1.conv2.kernel"][0, 2, 1, 0] == live[0, 2, 1, 0]


def changed(change):
    def damage(folder):
        path = folder / "weights.safetensors"
        arrays = load_file(path)
        change(arrays)
        save_file(arrays, path)

    return damage


def truncate(folder):
    path = folder / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-5])


def keras_own_file(folder):
    """A model file of Keras, where a Lambda layer could hide, is not even looked into."""
    (folder / "weights.safetensors").write_bytes(b"PK\x03\x04" + bytes(60))


@pytest.mark.skipif(
    os.environ["KERAS_BACKEND"] == "tensorflow", reason="NumPy reads the files, whatever computes"
)
@pytest.mark.parametrize(
    ("damage", "cause"),
    [
        (lambda folder: (folder / "weights.safetensors").unlink(), "missing"),
        (lambda folder: (folder / "state.toml").unlink(), "missing"),
        (truncate, "damaged"),
        (keras_own_file, "damaged"),
        (changed(lambda a: a.pop("stage1.block1.conv1.bias")), "lacks stage1.block1.conv1.bias"),
        (changed(lambda a: a.update(stowaway=np.zeros(3, np.float32))), "has stowaway"),
        (
            changed(lambda a: a.update({"dense.kernel": a["dense.kernel"].T.copy()})),
            r"dense.kernel is F32 of shape \(3, 16\)",
        ),
        (changed(lambda a: a["stem.bn.gamma"].fill(np.nan)), "stem.bn.gamma contains NaN"),
    ],
)
def test_a_damaged_folder_is_refused_with_the_cause(saved, damage, cause):
    damage(saved)
    one = small(channels=3)
    with pytest.raises(ModelError, match=cause):
        one.load(saved)
    assert one.classes.size == 0


def test_an_untrained_network_has_nothing_to_save(tmp_path):
    with pytest.raises(ModelError, match="not trained"):
        small().save(tmp_path)


def test_a_failed_write_leaves_nothing(trained, tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        trained.save(tmp_path)
    assert not list(tmp_path.iterdir())

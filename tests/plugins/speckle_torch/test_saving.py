import json
import struct

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors.numpy import load_file, save_file  # noqa: E402

from speckle_core.errors import ModelError, OutputError  # noqa: E402
from speckle_resnet.architecture import tensors  # noqa: E402
from tests.plugins.speckle_torch.tiny_network import TINY, easy, tiny  # noqa: E402

PATTERNS = easy(6, 7).batch(range(6))[0]


@pytest.fixture(scope="module")
def trained():
    one = tiny(epochs=2)
    one.fit(easy(12), easy(6, 1), seed=1)
    return one


@pytest.fixture
def saved(trained, tmp_path):
    trained.save(tmp_path)
    return tmp_path


FRESH = """
import pathlib, sys
import numpy as np
from tests.plugins.speckle_torch.tiny_network import easy, tiny
one = tiny()
one.load(pathlib.Path(sys.argv[1]))
np.save(sys.argv[2], one.predict_proba(easy(6, 7).batch(range(6))[0]))
print(one.classes.tolist())
"""


def test_a_saved_network_predicts_the_same_in_a_fresh_process(
    trained, saved, run_python, tmp_path_factory
):
    result = tmp_path_factory.mktemp("fresh") / "p.npy"
    process = run_python("-c", FRESH, str(saved), str(result))
    assert process.stdout.strip() == "[2, 3, 5]", process.stderr
    assert (np.load(result) == trained.predict_proba(PATTERNS)).all()


def test_a_folder_holds_safetensors_and_toml_in_the_neutral_layout(trained, saved):
    assert {p.name for p in saved.iterdir()} <= {
        "weights.safetensors",
        "last.safetensors",
        "state.toml",
    }
    arrays = load_file(saved / "weights.safetensors")
    assert {n: a.shape for n, a in arrays.items()} == tensors(TINY, 1, 3)
    module = trained._fitted.network.module
    live = module.stage2.block1.conv2.weight  # torch: out, in, height, width
    kernel = arrays["stage2.block1.conv2.kernel"]  # height, width, in, out
    assert kernel[0, 2, 1, 0] == live[0, 1, 0, 2].item()
    assert arrays["dense.kernel"][4, 1] == module.dense.weight[1, 4].item()


def test_the_last_weights_lie_beside_the_best_where_they_differ(tmp_path):
    one = tiny(epochs=6, learning_rate=0.05)
    history = one.fit(easy(18), easy(9, 1), seed=1)
    losses = [e.valid_loss for e in history]
    assert losses[-1] > min(losses)
    one.save(tmp_path)
    best, last = (load_file(tmp_path / f"{n}.safetensors") for n in ("weights", "last"))
    assert any((best[name] != last[name]).any() for name in best)
    again = tiny()
    again.load(tmp_path)
    other = tmp_path / "again"
    other.mkdir()
    again.save(other)
    for name in ("weights.safetensors", "last.safetensors", "state.toml"):
        assert (other / name).read_bytes() == (tmp_path / name).read_bytes()


def changed(change):
    def damage(folder):
        path = folder / "weights.safetensors"
        arrays = load_file(path)
        change(arrays)
        save_file(arrays, path)

    return damage


def drop(arrays):
    del arrays["stage1.block1.conv1.bias"]


def add(arrays):
    arrays["stowaway"] = np.zeros(3, np.float32)


def reshape(arrays):
    arrays["dense.kernel"] = arrays["dense.kernel"].T.copy()


def retype(arrays):
    arrays["dense.bias"] = arrays["dense.bias"].astype(np.float64)


def spoil(arrays):
    arrays["stem.bn.gamma"][1] = np.nan


def truncate(folder):
    path = folder / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-5])


def swell(folder):
    path = folder / "weights.safetensors"
    path.write_bytes(path.read_bytes() + bytes(2**21))


def claim(folder):
    header = json.dumps({"w": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}})
    path = folder / "weights.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header.encode())


def pickled(folder):
    (folder / "weights.safetensors").write_bytes(b"\x80\x04cposix\nsystem\n")


@pytest.mark.parametrize(
    ("damage", "cause"),
    [
        (lambda folder: (folder / "weights.safetensors").unlink(), "missing"),
        (lambda folder: (folder / "state.toml").unlink(), "missing"),
        (truncate, "damaged"),
        (swell, "bytes"),
        (claim, "damaged"),
        (pickled, "damaged"),
        (changed(drop), "lacks stage1.block1.conv1.bias"),
        (changed(add), "has stowaway"),
        (changed(reshape), r"dense.kernel is F32 of shape \(3, 20\)"),
        (changed(retype), "dense.bias is F64"),
        (changed(spoil), "stem.bn.gamma contains NaN"),
        (lambda folder: (folder / "state.toml").write_text("classes = ["), "cannot be read"),
        (lambda folder: (folder / "state.toml").write_bytes(b"\xff\xfe"), "cannot be read"),
        (lambda folder: (folder / "state.toml").write_text('format = "other"'), "format"),
    ],
)
def test_a_damaged_folder_is_refused_with_the_cause(saved, damage, cause):
    damage(saved)
    with pytest.raises(ModelError, match=cause) as caught:
        tiny().load(saved)
    assert str(saved) in str(caught.value)


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("    2,", "    3,"),
        ("    2,", '    "2",'),
        ("    33,", "    33.5,"),
    ],
)
def test_a_state_with_nonsense_is_refused(saved, line, instead):
    path = saved / "state.toml"
    path.write_text(path.read_text().replace(line, instead, 1))
    with pytest.raises(ModelError, match=r"whole numbers"):
        tiny().load(saved)


def test_a_network_of_other_channels_is_refused(saved):
    with pytest.raises(ModelError, match="channels = 1, but the options say 3"):
        tiny(channels=3).load(saved)


def test_an_untrained_network_has_nothing_to_save(tmp_path):
    with pytest.raises(ModelError, match="not trained"):
        tiny().save(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_nothing(trained, tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        trained.save(tmp_path)
    assert not list(tmp_path.iterdir())

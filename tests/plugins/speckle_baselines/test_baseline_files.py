"""What a baseline leaves on disk: opened anywhere, trusted by no one."""

import subprocess
import sys

import numpy as np
import pytest
import tomli_w
from safetensors.numpy import load, save

from speckle_baselines.contrast import Contrast
from speckle_baselines.first_moment import FirstMoment
from speckle_baselines.form_factor_fit import FormFactorFit
from speckle_baselines.pair_peaks import PairPeaks
from speckle_baselines.radial_lda import RadialLDA
from speckle_core import ModelError

ALL = [
    RadialLDA(),
    FirstMoment(definition="absolute"),
    FormFactorFit(dispersion=0.2),
    Contrast(smoothing=1.0),
    PairPeaks(peaks=20, rule="linear"),
    PairPeaks(peaks=20, rule="perceptron"),
]
FRESH = """
import sys
import numpy as np
from pathlib import Path
from speckle_baselines.{module} import {name}
baseline = {options}
baseline.load(Path(sys.argv[1]))
np.save(sys.argv[3], baseline.predict_proba(np.load(sys.argv[2], allow_pickle=False)))
heavy = {{"sklearn", "skops", "joblib", "torch", "matplotlib", "h5py"}} & set(sys.modules)
assert not heavy, heavy
"""


@pytest.fixture
def patterns(simulate):
    return simulate("constant area", [2, 5, 9], 8)


@pytest.fixture
def learned(patterns):
    def learned(baseline):
        baseline.fit(patterns, patterns, seed=1)
        return baseline

    return learned


@pytest.mark.parametrize("baseline", ALL, ids=repr)
def test_a_fresh_process_reads_the_same_without_scikit_learn(baseline, learned, patterns, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    learned(baseline).save(folder)
    batch, _ = patterns.batch(np.arange(len(patterns)))
    np.save(tmp_path / "patterns.npy", batch)
    kind = type(baseline)
    program = FRESH.format(
        module=kind.__module__.rpartition(".")[2], name=kind.__name__, options=repr(baseline)
    )
    files = [folder, tmp_path / "patterns.npy", tmp_path / "out.npy"]
    subprocess.run([sys.executable, "-c", program, *map(str, files)], check=True)
    assert np.array_equal(np.load(tmp_path / "out.npy"), baseline.predict_proba(batch))


@pytest.fixture
def saved(learned, tmp_path):
    learned(RadialLDA()).save(tmp_path)
    return tmp_path


def refused(folder, said, baseline=None):
    with pytest.raises(ModelError, match=said):
        (baseline or RadialLDA()).load(folder)


def test_a_model_holds_two_plain_files(saved):
    assert sorted(p.name for p in saved.iterdir()) == ["rule.safetensors", "state.toml"]


@pytest.mark.parametrize("name", ["rule.safetensors", "state.toml"])
def test_a_missing_or_damaged_file_is_refused(saved, name):
    whole = (saved / name).read_bytes()
    (saved / name).unlink()
    refused(saved, "missing")
    for part in (whole[:20], whole[: len(whole) // 2], b"\x80\x04K\x01.", bytes(range(256)), b""):
        (saved / name).write_bytes(part)
        with pytest.raises(ModelError):
            RadialLDA().load(saved)


def test_a_header_of_megabytes_is_refused_before_it_is_read(saved):
    entry = '{"dtype":"F32","shape":[0],"data_offsets":[0,0]}'
    header = "{" + ",".join(f'"{i}":{entry}' for i in range(100_000)) + "}"
    whole = len(header).to_bytes(8, "little") + header.encode()
    (saved / "rule.safetensors").write_bytes(whole)
    assert len(load(whole)) == 100_000
    refused(saved, f"declares a header of {len(header)} bytes")


def test_the_model_of_another_baseline_or_of_other_options_is_refused(saved, learned, tmp_path):
    refused(saved, "radial-lda", Contrast())
    learned(PairPeaks(peaks=20)).save(tmp_path)
    refused(tmp_path, "with these options", PairPeaks(peaks=21))


def _with(arrays, **changes):
    return {name: array for name, array in (arrays | changes).items() if array is not None}


@pytest.mark.parametrize(
    "change",
    [
        lambda a: _with(a, shift=None),
        lambda a: _with(a, extra=np.ones(3)),
        lambda a: _with(a, blocked=None),
        lambda a: _with(a, blocked=np.ones((129, 129), dtype=bool)),
        lambda a: _with(a, blocked=np.zeros((9, 9), dtype=bool)),
        lambda a: _with(a, blocked=np.zeros((129, 129))),
        lambda a: _with(a, scale=-a["scale"]),
        lambda a: _with(a, shift=a["shift"].astype(np.float32)),
        lambda a: _with(a, shift=np.full_like(a["shift"], np.nan)),
        lambda a: _with(a, **{"weights.0": a["weights.0"][:-1]}),
        lambda a: _with(a, **{"weights.0": a["weights.0"][:, :-1]}),
        lambda a: _with(a, **{"bias.0": a["bias.0"][:-1]}),
    ],
)
def test_arrays_that_do_not_fit_are_refused(saved, change):
    file = saved / "rule.safetensors"
    changed = change(load(file.read_bytes()))
    file.write_bytes(save({n: np.ascontiguousarray(a) for n, a in changed.items()}))
    refused(saved, "not a model of radial-lda")


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "speckle-baseline-99"},
        {"component": "contrast"},
        {"rule": "pickle"},
        {"classes": [2]},
        {"classes": [5, 2, 9]},
        {"classes": ["a", "b", "c"]},
        {"classes": [2, 5]},
        {"grid": {"layout": "centered", "size": 2_000_001, "step": 0.1}},
        {"grid": {"layout": "centered", "size": 128, "step": 0.1}},
        {"grid": {"layout": "centered"}},
        {"grid": 3},
    ],
)
def test_a_state_that_does_not_fit_is_refused(saved, changes):
    state = {
        "format": "speckle-baseline-1",
        "component": "radial-lda",
        "rule": "layers",
        "classes": [2, 5, 9],
        "grid": {"layout": "centered", "size": 129, "step": np.pi / 2000},
    }
    (saved / "state.toml").write_text(tomli_w.dumps(state))
    RadialLDA().load(saved)
    (saved / "state.toml").write_text(tomli_w.dumps(state | changes))
    refused(saved, "not a model of radial-lda")


def test_what_a_refused_load_leaves_is_the_old_state(saved, patterns):
    baseline = RadialLDA()
    baseline.load(saved)
    batch, _ = patterns.batch([0, 10])
    before = baseline.predict_proba(batch)
    (saved / "rule.safetensors").write_bytes(b"")
    with pytest.raises(ModelError):
        baseline.load(saved)
    assert np.array_equal(baseline.predict_proba(batch), before)

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import speckle_core
from speckle_core import KGrid, ModelError, Pipeline
from speckle_core.models.folder import read_whole
from speckle_core.models.shipped import CARD, model_folder, shipped_folder, shipped_models
from speckle_specklenet.evidence import FARTHEST, Evidence

NAMES = sorted(shipped_models())
#: Bytes of all files of one model.
LARGEST = 5_000_000


def patterns(name, counts, seed):
    """Return raw patterns of the task that a model was trained on, from another seed."""
    experiment = read_whole(shipped_folder(name)).experiment
    sampler, detector = experiment.structure.sampler, experiment.detector
    create = speckle_core.plugin_manager().create
    made = Pipeline(
        sampler=create("sampler", sampler.name, sampler.options),
        scatterer="analytic",
        detector=detector and create("detector", detector.name, detector.options),
        grid=KGrid.centered(257, np.pi / 2000),
    )
    return made.pattern_set(counts, 1, seed=seed).batch(np.arange(len(counts)))[0]


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_model_is_whole_small_and_has_a_card(name):
    folder = shipped_folder(name)
    record = read_whole(folder)
    assert record.files
    assert record.experiment.name == name
    assert sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) < LARGEST
    card = (folder / CARD).read_text(encoding="utf-8")
    for heading in ("Trained on", "Scores", "Limits", "Licence"):
        assert f"## {heading}" in card


@pytest.mark.framework
@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_model_counts_the_disks_of_new_patterns(name):
    pytest.importorskip("torch")
    counts = [2, 5, 9, 13]
    model = speckle_core.load_model(name, baselines=False)
    found = model.predict(patterns(name, counts, seed=20261231))
    assert np.abs(found - counts).max() <= 1
    assert np.mean(found == counts) >= 0.75


@pytest.mark.parametrize("name", NAMES)
def test_the_standardisation_of_a_shipped_model_fits_the_evidence_of_today(name):
    """Evidence that is measured in another way than in training has other means and widths."""
    model = speckle_core.load_model(name, baselines=False)
    evidence = Evidence(model.grid.size, model.pipeline.classifier.bodies)
    raw = patterns(name, model.classes.tolist(), seed=20261232)
    found = evidence(model.pipeline.prepared(raw)).astype(np.float64)
    kept = load_file(shipped_folder(name) / "classifier" / "weights.safetensors")
    mean, variance = kept["norm.running_mean"], kept["norm.running_var"]
    away = np.clip((found - mean) / np.sqrt(variance + 1e-5), -FARTHEST, FARTHEST)
    groups = np.split(away, np.cumsum(list(evidence.groups.values()))[:-1], axis=1)
    for group, part in zip(evidence.groups, groups, strict=True):
        # What is seldom measured, as a second map, may be missing in all of so few patterns.
        least = 0.7 if group in ("profile", "structure", "radii", "counts") else 0
        assert abs(part.mean()) < 0.6, group
        assert least <= np.sqrt(np.mean(part**2)) < 1.6, group


@pytest.mark.framework
def test_predict_takes_the_name_of_a_shipped_model(invoke, tmp_path):
    pytest.importorskip("torch")
    np.save(tmp_path / "one.npy", patterns("specklenet-poly", [7], seed=20261231)[0])
    result = invoke("predict", "specklenet-poly", tmp_path / "one.npy", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["predictions"][0]["class"] == 7


def test_models_are_listed_and_shown(invoke):
    listed = json.loads(invoke("models", "list", "--json").stdout)
    assert sorted(listed) == NAMES
    assert "specklenet-poly" in invoke("models", "list").stdout
    shown = invoke("models", "show", "specklenet-poly")
    assert shown.stdout.startswith("# specklenet-poly")


def test_a_wrong_name_is_one_error_with_the_nearest(invoke):
    for command in (("models", "show", "specklenet-pol"), ("predict", "specklenet-pol", "x.npy")):
        result = invoke(*command)
        assert result.exit_code != 0
        assert "specklenet-poly" in result.stderr
        assert "Traceback" not in result.stderr
    with pytest.raises(ModelError, match="a model that comes with the package"):
        speckle_core.load_model("specklenet-pol")


def test_a_folder_of_that_name_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert model_folder(Path("specklenet-poly")) == shipped_folder("specklenet-poly")
    (tmp_path / "specklenet-poly").mkdir()
    assert model_folder(Path("specklenet-poly")) == Path("specklenet-poly")

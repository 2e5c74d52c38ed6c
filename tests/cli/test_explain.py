from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from typer.testing import Result

from speckle_core import create
from speckle_core.cli.explain_choices import chosen_explainers
from speckle_core.data.dataset import Dataset
from speckle_core.models.folder import load_model
from speckle_core.notes import read_toml, write_toml

Invoke = Callable[..., Result]
Refused = Callable[..., str]


def test_explain_draws_maps_and_keeps_their_numbers(
    trained: tuple[Path, Result], data: Path, invoke: Invoke, tmp_path: Path
) -> None:
    model, folder = trained[0], tmp_path / "maps"
    result = invoke(
        "explain",
        model,
        "--data",
        data,
        "--explainer",
        "saliency",
        "-o",
        folder,
        "--index",
        30,
        "--index",
        70,
    )
    assert result.exit_code == 0, result.output
    assert {p.name for p in folder.iterdir()} == {
        "saliency-00030.png",
        "saliency-00070.png",
        "explanations.h5",
        "summary.json",
    }
    assert (folder / "saliency-00030.png").read_bytes().startswith(b"\x89PNG")
    weights = load_model(model).pipeline.classifier.weights_
    with h5py.File(folder / "explanations.h5") as file:
        assert file["index"][()].tolist() == [30, 70]
        assert file["labels"][()].tolist() == [7, 12]
        columns = np.searchsorted(file["classes"][()], file["targets"][()])
        expected = np.abs(20 * weights.T[columns]).reshape(2, 33, 33)
        np.testing.assert_allclose(file["maps/saliency"][()], expected, rtol=1e-5)
        assert file.attrs["experiment"] == load_model(model).record.experiment.name


def test_explain_shows_the_first_test_pattern_of_each_class_unless_told(
    trained: tuple[Path, Result], data: Path, invoke: Invoke, tmp_path: Path
) -> None:
    args = ("--data", data, "--explainer", "saliency", "-o", tmp_path / "maps", "--json")
    found = json.loads(invoke("explain", trained[0], *args).stdout)
    dataset = Dataset.open(data)
    split = dataset.experiment.split.indices(dataset.labels, dataset.experiment.seed)["test"]
    first = [split[dataset.labels[split] == value][0] for value in (2, 7, 12)]
    assert found["files"][:3] == [f"saliency-{place:05d}.png" for place in first]


def test_explain_refuses_what_it_cannot_explain(
    model: Path, data: Path, refused: Refused, tmp_path: Path
) -> None:
    start = ("explain", model, "--data", data, "-o", tmp_path / "maps")
    assert "saliency" in refused(*start, "--explainer", "salency", code=2)
    assert "0 to 71" in refused(*start, "--explainer", "saliency", "--index", 72)
    refused(*start, "--explainer", "saliency")  # radial-lda has no gradients
    assert not (tmp_path / "maps").exists()


def test_explain_takes_the_options_of_its_explainers(
    trained: tuple[Path, Result], data: Path, invoke: Invoke, tmp_path: Path
) -> None:
    folder = tmp_path / "maps"
    asked = ("--explainer", "saliency", "--explainer", "integrated-gradients", "--index", 30)
    options = (
        "--set",
        "integrated-gradients.steps=3",
        "--set",
        "integrated-gradients.baseline=zero",
    )
    result = invoke("explain", trained[0], "--data", data, *asked, *options, "-o", folder)
    assert result.exit_code == 0, result.output
    pipeline = load_model(trained[0]).pipeline
    with h5py.File(folder / "explanations.h5") as file:
        patterns, targets = file["patterns"][()], file["targets"][()]
        found = {name: file[f"maps/{name}"][()] for name in ("saliency", "integrated-gradients")}
    columns = np.searchsorted(pipeline.classifier.classes, targets)
    for name, given in (
        ("saliency", {}),
        ("integrated-gradients", {"steps": 3, "baseline": "zero"}),
    ):
        expected = create("explainer", name, **given).explain(
            pipeline.classifier, patterns, columns
        )
        np.testing.assert_allclose(found[name], expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("integrated-gradients.stepz=3", "Did you mean 'steps'?"),
        ("integrated-gradients.steps=many", "'many' is not a whole number"),
        ("integrated-gradients.steps=0", "steps"),
        ("grad-cam.stage=1", "--set integrated-gradients.OPTION=VALUE"),
        ("steps=3", "--set integrated-gradients.OPTION=VALUE"),
        ("integrated-gradients.steps", "key=value"),
    ],
)
def test_explain_refuses_a_setting_that_no_explainer_takes(
    model: Path, data: Path, refused: Refused, tmp_path: Path, setting: str, said: str
) -> None:
    start = ("explain", model, "--data", data, "-o", tmp_path / "maps")
    assert said in refused(*start, "--explainer", "integrated-gradients", "--set", setting, code=2)
    assert not (tmp_path / "maps").exists()


def test_an_analysis_is_kept_with_its_deletion_curve_and_lattice(
    trained: tuple[Path, Result], data: Path, invoke: Invoke, tmp_path: Path
) -> None:
    args = ("explain", trained[0], "--data", data, "--explainer", "saliency", "-o", tmp_path / "m")
    told = invoke(*args)
    assert told.exit_code == 0
    assert "saliency: This classifier has no version with random weights" in told.stdout
    assert "lattice" in told.stdout
    with h5py.File(tmp_path / "m" / "explanations.h5") as file:
        assert file["analysis/saliency/deletion/random"].shape == (10,)
        assert file["analysis/saliency/lattice/share"].shape == (5,)


def test_a_chosen_pattern_is_explained_without_the_whole_analysis(
    trained: tuple[Path, Result], data: Path, invoke: Invoke, tmp_path: Path
) -> None:
    args = ("explain", trained[0], "--data", data, "--explainer", "saliency", "--index", 3)
    found = invoke(*args, "-o", tmp_path / "maps", "--json")
    assert json.loads(found.stdout)["files"] == [
        "saliency-00003.png",
        "explanations.h5",
        "summary.json",
    ]


def test_a_file_is_explained_with_its_answer_and_the_rings_of_the_physics(
    trained: tuple[Path, Result], data: Path, invoke: Invoke, refused: Refused, tmp_path: Path
) -> None:
    np.save(tmp_path / "mine.npy", Dataset.open(data).patterns().raw([0, 70]))
    args = ("explain", trained[0], tmp_path / "mine.npy", "--explainer", "saliency")
    told = invoke(*args, "-o", tmp_path / "maps")
    assert told.exit_code == 0, told.output
    assert {p.name for p in (tmp_path / "maps").iterdir()} == {
        "mine-00000-saliency.png",
        "mine-00001-saliency.png",
    }
    assert "pattern 0: n = 2 (" in told.stdout
    assert "or else" in told.stdout
    both = invoke(*args, "--data", data, "-o", tmp_path / "x")
    assert both.exit_code == 2
    assert invoke("explain", trained[0], "--explainer", "saliency", "-o", "x").exit_code == 2


def test_without_a_name_the_explainers_are_those_of_the_models_experiment(
    trained: tuple[Path, Result], tmp_path: Path
) -> None:
    model = tmp_path / "copy"
    shutil.copytree(trained[0], model)
    record = read_toml(model / "model.toml")
    record["experiment"]["explainers"] = [{"name": "saliency"}, {"name": "grad-cam"}]
    write_toml(model / "model.toml", record)
    assert [choice.name for choice in chosen_explainers([], [], model)] == ["saliency", "grad-cam"]
    assert [choice.name for choice in chosen_explainers(["saliency"], [], model)] == ["saliency"]
    record["experiment"]["explainers"] = []
    write_toml(model / "model.toml", record)
    # No experiment's explainer: the one that explains whatever predicts.
    assert [choice.name for choice in chosen_explainers([], [], model)] == ["occlusion"]


def test_a_rule_without_gradients_is_explained_by_occlusion(
    model: Path, data: Path, invoke: Invoke, tmp_path: Path
) -> None:
    folder = tmp_path / "maps"
    args = ("explain", model, "--data", data, "--index", 7, "-o", folder)
    result = invoke(*args, "--explainer", "occlusion", "--set", "occlusion.windows=3")
    assert result.exit_code == 0, result.output
    with h5py.File(folder / "explanations.h5") as file:
        found = file["maps/occlusion"][0]
    windows = found.reshape(3, 11, 3, 11)
    assert (np.ptp(windows, axis=(1, 3)) == 0).all()
    assert np.count_nonzero(windows[:, 0, :, 0]) >= 8

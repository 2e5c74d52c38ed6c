from __future__ import annotations

import csv
import importlib.util
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from typer.testing import Result

from speckle_core import create
from speckle_core.analysis.confidence import Confidence
from speckle_core.cli import predictions
from speckle_core.data.dataset import Dataset
from speckle_core.models import confidence
from speckle_core.models.folder import load_model

Invoke = Callable[..., Result]
Refused = Callable[..., str]


@pytest.fixture
def trained(
    ridge: str, tiny: Path, data: Path, invoke: Invoke, tmp_path: Path
) -> tuple[Path, Result]:
    """A model with gradients, and what training it said."""
    folder = tmp_path / "model"
    result = invoke(
        "train", tiny, "--data", data, "-o", folder, "--set", f"classifier={ridge}", "--json"
    )
    assert result.exit_code == 0, result.output
    return folder, result


def test_train_prints_the_history_as_json(trained: tuple[Path, Result]) -> None:
    folder, result = trained
    found = json.loads(result.stdout)
    assert found["model"] == str(folder)
    assert [epoch["number"] for epoch in found["history"]] == [1, 2, 3]
    assert found["history"][0]["valid_loss"] is None


def test_train_tells_epochs_in_the_stage_line(trained: tuple[Path, Result]) -> None:
    assert "train ridge: 3 epochs, training accuracy 0.750, " in trained[1].stderr


def test_train_writes_event_files_only_when_asked(
    trained: tuple[Path, Result], tiny: Path, data: Path, invoke: Invoke, tmp_path: Path
) -> None:
    assert not (trained[0] / "tensorboard").exists()
    assert (
        invoke("train", tiny, "--data", data, "-o", tmp_path / "m", "--tensorboard").exit_code == 0
    )
    (events,) = (tmp_path / "m" / "tensorboard").iterdir()
    assert "tfevents" in events.name


def test_event_files_without_tensorboard_are_refused_before_any_work(
    tiny: Path,
    data: Path,
    tmp_path: Path,
    refused: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == "tensorboard" else find(name)
    )
    said = refused("train", tiny, "--data", data, "-o", tmp_path / "m", "--tensorboard")
    assert "pip install 'speckle-core[tensorboard]'" in said
    assert not (tmp_path / "m").exists()


def test_train_on_other_data_than_the_experiments_names_the_difference(
    tiny: Path, data: Path, refused: Refused, tmp_path: Path
) -> None:
    said = refused("train", tiny, "--data", data, "-o", tmp_path / "m", "--set", "seed=9")
    assert "seed (9, not 5)" in said
    assert not (tmp_path / "m").exists()


def test_evaluate_prints_what_the_run_printed(done: tuple[Path, Result], invoke: Invoke) -> None:
    folder, result = done
    again = invoke("evaluate", folder / "model", "--data", folder / "data")
    assert again.exit_code == 0
    assert result.stdout.startswith(again.stdout)
    assert "first-moment" in again.stdout


def test_evaluate_keeps_metrics_and_predictions_where_asked(
    model: Path, data: Path, invoke: Invoke, refused: Refused, tmp_path: Path
) -> None:
    args = ("evaluate", model, "--data", data, "--split", "all", "-o", tmp_path / "e")
    found = json.loads(invoke(*args, "--json").stdout)
    assert found["split"] == "all"
    for name in ("radial-lda", "first-moment"):
        saved = json.loads((tmp_path / "e" / name / "metrics.json").read_text())
        # The file also says what belongs to it, and how it is seen to be whole.
        assert found["evaluations"][name].items() <= saved.items()
        rows = list(csv.DictReader((tmp_path / "e" / name / "predictions.csv").open()))
        assert len(rows) == 72
    assert "is not empty" in refused(*args)


def test_evaluate_warns_of_wider_patterns_that_standardization_made_brighter(
    model: Path, tiny: Path, data: Path, invoke: Invoke, tmp_path: Path
) -> None:
    wide = tmp_path / "wide"
    assert invoke("generate", tiny, "-o", wide, "--set", "grid.size=97").exit_code == 0
    told = invoke("evaluate", model, "--data", wide, "--split", "all")
    (far,) = re.findall(r"warning: (\d+) of 72 patterns are far from the training", told.stderr)
    assert int(far) > 60
    found = json.loads(invoke("evaluate", model, "--data", data, "--json").stdout)
    assert found["far_from_training"] == 0


def test_evaluate_keeps_the_results_of_those_that_can_read_another_size(
    model: Path, data: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from speckle_core import PatternError
    from speckle_core.models import evaluate as module

    reads = module.evaluate

    def only(refusing: str) -> None:
        def judged(classifier: Any, patterns: Any) -> Any:
            if classifier.name == refusing:
                raise PatternError("patterns of 21 pixels, but this model reads 33")
            return reads(classifier, patterns)

        monkeypatch.setattr(module, "evaluate", judged)

    only("first-moment")
    told = invoke("evaluate", model, "--data", data, "-o", tmp_path / "one")
    assert told.exit_code == 0
    assert "warning: left out: first-moment: patterns of 21 pixels" in told.stderr
    assert "radial-lda" in told.stdout
    only("radial-lda")
    told = invoke("evaluate", model, "--data", data, "-o", tmp_path / "two")
    assert told.exit_code == 1
    assert "error: radial-lda: patterns of 21 pixels" in told.stderr
    assert "first-moment" in told.stdout
    assert (tmp_path / "two" / "first-moment" / "metrics.json").exists()


def test_evaluate_names_the_classifier_when_none_can_read_the_size(
    model: Path, tiny: Path, invoke: Invoke, refused: Refused, tmp_path: Path
) -> None:
    narrow = tmp_path / "narrow"
    assert invoke("generate", tiny, "-o", narrow, "--set", "grid.size=21").exit_code == 0
    assert "radial-lda, predict: patterns of shape" in refused(
        "evaluate", model, "--data", narrow, "--split", "all"
    )


def test_evaluate_knows_no_other_part(model: Path, data: Path, invoke: Invoke) -> None:
    result = invoke("evaluate", model, "--data", data, "--split", "tests")
    assert result.exit_code == 2
    assert "tests" in result.stderr


def test_predict_reads_every_pattern_of_every_file_as_python_does(
    model: Path, data: Path, invoke: Invoke, tmp_path: Path
) -> None:
    patterns = Dataset.open(data).patterns().raw(np.arange(72))
    np.save(tmp_path / "one.npy", patterns[50])
    np.save(tmp_path / "stack.npy", patterns)
    result = invoke("predict", model, tmp_path / "one.npy", tmp_path / "stack.npy", "--json")
    found = json.loads(result.stdout)["predictions"]
    assert [f["pattern"] for f in found] == [0, *range(72)]
    pipeline = load_model(model).pipeline
    expected = pipeline.predict_proba(np.concatenate([patterns[50:51], patterns]))
    rows = [[f["probabilities"][c] for c in ("2", "7", "12")] for f in found]
    np.testing.assert_allclose(rows, expected, atol=1e-12)
    assert [f["class"] for f in found] == pipeline.classifier.classes[
        expected.argmax(axis=1)
    ].tolist()
    assert [f["probability"] for f in found] == [max(row) for row in rows]


def test_predict_prints_class_and_probability_of_each_pattern(
    model: Path, data: Path, invoke: Invoke
) -> None:
    result = invoke("predict", model, data / "patterns.h5")
    assert result.exit_code == 0
    header, *lines = result.stdout.splitlines()
    assert header.split()[:6] == ["file", "pattern", "class", "probability", "or", "else"]
    assert len(lines) == 72
    file, number, value, probability, *_ = lines[60].split()
    assert (file, number) == (str(data / "patterns.h5"), "60")
    assert value in ("2", "7", "12")
    assert 1 / 3 < float(probability) <= 1


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


def test_the_folder_of_a_run_stands_for_its_model_and_its_data(
    done: tuple[Path, Result], model: Path, data: Path, invoke: Invoke
) -> None:
    whole = invoke("evaluate", done[0], "--data", done[0])
    assert whole.exit_code == 0
    assert whole.stdout == invoke("evaluate", model, "--data", data).stdout


def test_an_analysis_is_kept_with_its_deletion_curve_and_lattice(
    trained: tuple[Path, Result], data: Path, invoke: Invoke, tmp_path: Path
) -> None:
    args = ("explain", trained[0], "--data", data, "--explainer", "saliency", "-o", tmp_path / "m")
    assert invoke(*args).exit_code == 0
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


def test_predict_tells_the_second_choice_the_simple_rules_and_why_a_pattern_is_far(
    model: Path, data: Path, invoke: Invoke, tmp_path: Path
) -> None:
    raw = Dataset.open(data).patterns().raw([0, 70])
    y, x = np.mgrid[-16:17, -16:17]
    np.save(tmp_path / "three.npy", np.concatenate([raw, np.hypot(x, y)[None]]))
    told = invoke("predict", model, tmp_path / "three.npy", "--json")
    first, _, ramp = json.loads(told.stdout)["predictions"]
    rates = sorted(first["probabilities"].values())
    assert first["second_probability"] == rates[-2]
    assert first["probabilities"][str(first["second"])] == rates[-2]
    assert set(first["baselines"]) == {"first-moment"}
    assert first["why"] == ""
    assert "times as far off as any training pattern" in ramp["why"]
    said = invoke("predict", model, tmp_path / "three.npy").stdout
    assert "or else" in said
    assert "first-moment 2" in said


def test_predict_shows_calibrated_probabilities_and_sets_where_the_model_has_them(
    model: Path, data: Path, invoke: Invoke, tmp_path: Path
) -> None:
    folder = shutil.copytree(model, tmp_path / "model")
    np.save(tmp_path / "one.npy", Dataset.open(data).patterns().raw([0, 70]))
    assert "set" not in invoke("predict", folder, tmp_path / "one.npy").stdout.split()
    confidence.save(Confidence(2.0, np.linspace(0, 1, 38)), folder)
    header, *lines = invoke("predict", folder, tmp_path / "one.npy").stdout.splitlines()
    assert header.split()[3:7] == ["probability", "calibrated", "95%", "set"]
    assert all("2, 7, 12" in line for line in lines)
    told = json.loads(invoke("predict", folder, tmp_path / "one.npy", "--json").stdout)
    first, last = told["predictions"]
    assert 1 / 3 < first["calibrated"] <= first["probability"]
    assert (first["sets"]["0.95"], last["sets"]["0.95"]) == ([2, 7, 12], [2, 7, 12])
    assert list(first["sets"]) == ["0.9", "0.95"]


def test_export_refuses_what_it_cannot_write_and_where_it_must_not(
    model: Path, refused: Refused, tmp_path: Path
) -> None:
    said = refused("export", model, "-o", tmp_path / "x.onnx")
    assert "radial-lda cannot be written as ONNX" in said
    (tmp_path / "x.onnx").write_text("mine")
    assert "exists already" in refused("export", model, "-o", tmp_path / "x.onnx")
    assert (tmp_path / "x.onnx").read_text() == "mine"


def test_numbers_in_a_row_are_written_as_a_span() -> None:
    assert predictions._spans([2, 3, 4, 7, 9, 10]) == "2-4, 7, 9-10"
    assert predictions._spans([]) == "none"


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

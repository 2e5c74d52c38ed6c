from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from typer.testing import Result

from speckle_core.analysis.confidence import Confidence
from speckle_core.cli import predictions
from speckle_core.data.dataset import Dataset
from speckle_core.models import confidence
from speckle_core.models.folder import load_model

Invoke = Callable[..., Result]


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


def test_the_folder_of_a_run_stands_for_its_model_and_its_data(
    done: tuple[Path, Result], model: Path, data: Path, invoke: Invoke
) -> None:
    whole = invoke("evaluate", done[0], "--data", done[0])
    assert whole.exit_code == 0
    assert whole.stdout == invoke("evaluate", model, "--data", data).stdout


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


def test_numbers_in_a_row_are_written_as_a_span() -> None:
    assert predictions._spans([2, 3, 4, 7, 9, 10]) == "2-4, 7, 9-10"
    assert predictions._spans([]) == "none"

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

Invoke = Callable[..., Result]
Refused = Callable[..., str]


def test_evaluate_prints_what_the_run_printed(done: tuple[Path, Result], invoke: Invoke) -> None:
    folder, result = done
    again = invoke("evaluate", folder / "model", "--data", folder / "data")
    assert again.exit_code == 0
    assert result.stdout.startswith(again.stdout)
    assert "first-moment" in again.stdout


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
        rows = list(
            csv.DictReader((tmp_path / "e" / name / "predictions.csv").read_text().splitlines())
        )
        assert len(rows) == 72
    assert "is not empty" in refused(*args)

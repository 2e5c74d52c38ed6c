"""A run with `solve` among its baselines: the stage, the report, the command."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from speckle_core import Dataset, load_model
from tests.solve.conftest import SET

Invoke = Callable[..., Result]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, invoke: Invoke) -> tuple[Path, Result]:
    folder = tmp_path_factory.mktemp("run")
    text = SET.replace("patterns_per_count = 1", "patterns_per_count = 6")
    text = text.replace("train = 1", "train = 6").replace("test = 1", "test = 6")
    text = text.replace(
        "seed = 3",
        'seed = 3\nclassifier = { name = "radial-lda" }\n'
        'baselines = [{ name = "solve", patterns = 3 }]',
    )
    (folder / "small.toml").write_text(text + '[[prepare]]\nname = "standardize"\n')
    return folder, invoke("run", folder / "small.toml", "-o", folder / "run", "--workers", 1)


def test_the_report_shows_solved_structures_in_pictures(run: tuple[Path, Result]) -> None:
    folder, result = run
    assert result.exit_code == 0, result.output
    report = (folder / "run" / "report.html").read_text()
    assert "<h2>Solved structures</h2>" in report
    assert "2 of 2 test patterns as solved, 2 of them with every body exact" in report
    assert len(report) < 400_000
    assert "solve (3 of them, drawn at random)" in report
    records = json.loads((folder / "run" / "solutions" / "solution.json").read_text())["patterns"]
    assert [record["label"] for record in records] == [3, 4]


def test_the_solver_is_read_on_a_sample_beside_the_others(run: tuple[Path, Result]) -> None:
    folder, result = run
    assert "solve takes long: it was given 3 patterns, drawn at random." in result.stdout
    metrics = folder / "run" / "evaluation" / "solve" / "metrics.json"
    found = json.loads(metrics.read_text())
    assert (found["patterns"], found["sample"]) == (3, True)
    assert found["accuracy"]["value"] == 1.0


def test_of_many_patterns_at_once_only_quick_baselines_are_asked(run: tuple[Path, Result]) -> None:
    model = load_model(run[0] / "run" / "model")
    raw = Dataset.open(run[0] / "run" / "data").patterns().raw(range(6))
    assert model.answer(raw[:1])[0].baselines == {"solve": 3}
    assert model.answer(raw)[0].baselines == {}


def test_a_lost_solution_is_found_again(run: tuple[Path, Result], invoke: Invoke) -> None:
    folder, _ = run
    lost = min((folder / "run" / "solutions").glob("pattern-*.png"))
    before = lost.read_bytes()
    lost.unlink()
    assert invoke("run", folder / "small.toml", "-o", folder / "run").exit_code == 0
    assert lost.read_bytes() == before

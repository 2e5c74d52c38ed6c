"""What version 0.1.0 wrote, this one opens, checks, judges and goes on with (5 s)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from speckle_core import Dataset, Evaluation, Experiment
from speckle_core.data.generate import generate
from speckle_core.data.verify import verify
from speckle_core.models.evaluate import assess, part_of
from speckle_core.models.folder import load_model
from speckle_core.run import Run

WRITTEN = Path(__file__).with_name("written_by_0_1_0")
NAMES = ["radial-lda", "first-moment", "form-factor-fit", "contrast", "pair-peaks"]


def stored(name: str) -> Evaluation:
    return Evaluation.load(WRITTEN / "run" / "evaluation" / name)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return Path(shutil.copytree(WRITTEN / "run", tmp_path / "run"))


def test_its_data_set_is_whole_and_says_what_it_is(run: Path) -> None:
    dataset = Dataset.open(run / "data")
    assert dataset.labels.tolist() == [2] * 8 + [3] * 8 + [4] * 8
    assert dataset.grid.shape == (17, 17)
    found = verify(run / "data")
    assert not found.problems
    assert Experiment.load(WRITTEN / "small.toml").resolved() == dataset.experiment.resolved()


def test_its_patterns_are_those_that_this_version_simulates(tmp_path: Path) -> None:
    generate(Experiment.load(WRITTEN / "small.toml"), tmp_path / "data", workers=1)
    ours, theirs = (Dataset.open(p / "data") for p in (tmp_path, WRITTEN / "run"))
    np.testing.assert_allclose(
        ours.patterns().raw(range(24)), theirs.patterns().raw(range(24)), rtol=1e-5
    )


@pytest.mark.parametrize("name", NAMES)
def test_its_model_and_baselines_predict_what_they_predicted(name: str) -> None:
    model = load_model(WRITTEN / "run" / "model")
    patterns = part_of(model, Dataset.open(WRITTEN / "run" / "data"), "test")
    found, before = assess(model, patterns)[name], stored(name)
    assert np.array_equal(found.labels, before.labels)
    assert np.array_equal(found.predicted, before.predicted)
    np.testing.assert_allclose(found.probabilities, before.probabilities, atol=1e-6)


def test_commands_judge_and_predict_with_its_files(invoke: Callable[..., Any], run: Path) -> None:
    judged = invoke("evaluate", run / "model", "--data", run / "data", "--json")
    assert judged.exit_code == 0, judged.output
    told = json.loads(judged.stdout)["evaluations"]
    assert {name: told[name]["accuracy"]["value"] for name in NAMES} == {
        name: stored(name).accuracy for name in NAMES
    }
    np.save(run / "pattern.npy", Dataset.open(run / "data").patterns().raw([20])[0])
    said = invoke("predict", run / "model", run / "pattern.npy", "--json")
    assert said.exit_code == 0, said.output


def test_its_run_is_over_and_nothing_of_it_is_written_anew(run: Path) -> None:
    (run / "report.html").write_text("<html>the report</html>")
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in run.rglob("*") if p.is_file()}
    Run.begin(Experiment.load(WRITTEN / "small.toml"), run).execute(workers=1)
    after = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in run.rglob("*") if p.is_file()}
    assert after == before

"""A rule trained once on patterns of 65 pixels, and how the command line reads frames with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from speckle_core import Experiment
from speckle_core.data.generate import generate
from speckle_core.models.train import train
from tests.e2e.frames.patterns import SIZE, Read, say


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rule on rings, trained in a second or two."""
    home = tmp_path_factory.mktemp("frames")
    experiment = Experiment.from_dict(
        {
            "name": "rings",
            "structure": {"counts": [2, 8], "count_step": 2, "patterns_per_count": 60},
            "grid": {"size": SIZE},
            "prepare": [{"name": "block-center", "size": 11}, {"name": "standardize"}],
            "split": {"train": 0.8, "valid": 0.1, "test": 0.1},
            "classifier": "radial-lda",
        }
    )
    train(experiment, generate(experiment, home / "data", workers=1), home / "model")
    return home / "model"


@pytest.fixture
def read(model: Path) -> Read:
    """Predict; return the answers."""

    def answers(*args: object, code: int = 0) -> list[dict[str, Any]]:
        result = say("predict", model, *args, "--json")
        assert result.exit_code == code, result.output
        found: list[dict[str, Any]] = json.loads(result.stdout)["predictions"]
        return found

    return answers

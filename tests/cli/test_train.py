from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Invoke = Callable[..., Result]
Refused = Callable[..., str]


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

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Invoke = Callable[..., Any]
Refused = Callable[..., str]


def test_everything_that_must_fail_is_told_at_once_and_nothing_is_written(
    tiny: Path, tmp_path: Path, refused: Refused
) -> None:
    said = refused(
        "run",
        tiny,
        "-o",
        tmp_path / "run",
        "--set",
        "explainers=['saliency', 'grad-cam']",
        "--set",
        "grid.layout=quadrant",
    )
    assert "2 problems" in said
    assert "explainer saliency: 'saliency' needs gradients" in said
    assert "explainer grad-cam: 'grad-cam' needs feature maps" in said
    assert not (tmp_path / "run").exists()


def test_a_device_that_is_not_there_is_told_before_anything_is_simulated(
    tiny: Path, tmp_path: Path, refused: Refused
) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a card here")
    settings = ("--set", "classifier.name=torch-resnet50", "--set", "classifier.device=cuda")
    said = refused("run", tiny, "-o", tmp_path / "run", *settings)
    assert "classifier torch-resnet50, device: 'cuda' does not exist" in said
    assert not (tmp_path / "run").exists()


def test_a_baseline_that_cannot_read_the_grid_is_named(
    tiny: Path, tmp_path: Path, refused: Refused
) -> None:
    settings = ("--set", "prepare.0.size=33", "--set", "prepare=[{name='block-center', size=33}]")
    said = refused("run", tiny, "-o", tmp_path / "run", *settings)
    assert "baseline first-moment" in said
    assert not (tmp_path / "run").exists()


def test_a_disk_too_small_for_the_data_is_known_at_the_start(
    tiny: Path, tmp_path: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 8, 1000))
    said = refused("generate", tiny, "-o", tmp_path / "data")
    # 3 classes of 24 patterns of 33 x 33 float32
    assert "needs 314 kB, but only 1 kB are free" in said
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("command", ["run", "generate", "train"])
def test_a_dry_run_prints_plan_time_and_size_and_writes_nothing(
    command: str, tiny: Path, data: Path, tmp_path: Path, invoke: Invoke
) -> None:
    more = ("--data", data) if command == "train" else ()
    result = invoke(command, tiny, "-o", tmp_path / "out", *more, "--dry-run", "--json")
    assert result.exit_code == 0, result.output
    plan = json.loads(result.stdout)
    assert (plan["patterns"], plan["size"]) == (72, 33)
    assert plan["bytes"] == (0 if command == "train" else 72 * 33 * 33 * 4)
    stages = {"generate": {"generate"}, "train": set()}.get(command, {"generate"})
    if command != "generate":
        stages |= {"fit first-moment", "train radial-lda", "evaluate radial-lda"}
    assert set(plan["seconds"]) == stages
    assert not (tmp_path / "out").exists()


def test_a_dry_run_says_in_words_what_it_found(tiny: Path, tmp_path: Path, invoke: Invoke) -> None:
    result = invoke("run", tiny, "-o", tmp_path / "out", "--dry-run")
    assert "72 patterns of 33 x 33 pixels, 314 kB" in result.stdout
    assert "nothing was written" in result.stdout


def test_long_work_says_its_time_and_size_first(
    tiny: Path, tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    from speckle_core.cli import plan

    monkeypatch.setattr(plan, "LONG", 0)
    result = invoke("generate", tiny, "-o", tmp_path / "data", "--workers", 1)
    assert "this will take about" in result.stderr
    assert "314 kB" in result.stderr


def test_faults_of_options_name_the_file_the_key_and_the_component(
    tiny: Path, tmp_path: Path, refused: Refused
) -> None:
    said = refused("run", tiny, "-o", tmp_path / "r", "--set", "prepare.0.size=4", code=2)
    assert f"{tiny}: prepare.0.size (block-center): " in said

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from speckle_core.run import Run

Invoke = Callable[..., Result]


def test_a_run_ends_with_its_accuracies_the_verdict_and_the_place_of_its_report(
    done: tuple[Path, Result],
) -> None:
    folder, result = done
    evaluations = Run.open(folder).evaluations()
    lines = result.stdout.splitlines()
    assert lines[0] == "15 test patterns of 3 classes"
    for name in ("radial-lda", "first-moment"):
        low, high = evaluations[name].accuracy_interval
        # The table comes before the verdict, which may begin with a name as well.
        line = next(line for line in lines if line.startswith(name + " "))
        assert line.split()[1:5] == [
            f"{evaluations[name].accuracy:.3f}",
            f"{low:.3f}",
            "to",
            f"{high:.3f}",
        ]
    assert lines[-1].startswith(f"report: {folder / 'report.html'}")
    assert (folder / "report.html").read_text().rstrip().endswith("</html>")


def test_without_a_terminal_each_stage_is_one_plain_line_on_stderr(
    done: tuple[Path, Result],
) -> None:
    lines = done[1].stderr.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "check on a few patterns",
        "generate",
        "fit first-moment",
        "train radial-lda",
        "evaluate radial-lda",
        "evaluate first-moment",
        "audit",
    ]
    assert "72 patterns" in lines[1]
    assert "\x1b" not in done[1].stderr


def test_a_run_that_is_over_is_shown_again_and_not_done_again(
    done: tuple[Path, Result], tiny: Path, invoke: Invoke
) -> None:
    folder, first = done
    before = (folder / "report.html").stat().st_mtime_ns
    again = invoke("run", tiny, "-o", folder)
    assert again.exit_code == 0
    assert again.stdout == first.stdout
    assert "already done: generate, train, evaluate, report" in again.stderr
    assert (folder / "report.html").stat().st_mtime_ns == before


def test_json_of_a_run_is_one_document_with_every_number(
    done: tuple[Path, Result], tiny: Path, invoke: Invoke
) -> None:
    folder, _ = done
    found = json.loads(invoke("run", tiny, "-o", folder, "--json").stdout)
    evaluations = Run.open(folder).evaluations()
    assert found["evaluations"] == {n: e.to_dict() for n, e in evaluations.items()}
    assert found["report"] == str(folder / "report.html")
    assert set(found["seconds"]) == {"generate", "train", "evaluate", "report"}
    assert found["experiment"]["structure"]["patterns_per_count"] == 24
    assert found["verdict"] in " ".join((folder / "report.html").read_text().split())


def test_a_run_has_its_own_folder_below_runs_unless_told(
    tiny: Path, invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert invoke("run", tiny, "--set", "name=other").exit_code == 0
    assert (tmp_path / "runs" / "other" / "report.html").is_file()


def test_fresh_starts_over_and_only_over_a_run_of_ours(
    tiny: Path, invoke: Invoke, refused: Callable[..., str], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    assert invoke("run", tiny, "-o", folder).exit_code == 0
    said = refused("run", tiny, "-o", folder, "--set", "seed=6")
    assert "seed" in said
    assert "--fresh" in said
    again = invoke("run", tiny, "-o", folder, "--set", "seed=6", "--fresh", "--json")
    assert json.loads(again.stdout)["experiment"]["seed"] == 6

    diary = tmp_path / "mine"
    diary.mkdir()
    (diary / "diary.txt").write_text("dear diary")
    for flags in ((), ("--fresh",)):
        assert str(diary) in refused("run", tiny, "-o", diary, *flags)
    assert [p.name for p in diary.iterdir()] == ["diary.txt"]


def test_a_missing_package_shows_before_anything_is_simulated(
    tiny: Path, refused: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    real = importlib.util.find_spec

    def without_torch(name: str, *args: Any) -> Any:
        return None if name == "torch" else real(name, *args)

    monkeypatch.setattr(importlib.util, "find_spec", without_torch)
    folder = tmp_path / "run"
    said = refused("run", tiny, "-o", folder, "--set", "classifier.name=torch-resnet50")
    assert "Run: pip install 'speckle-core[torch]'" in said
    assert not folder.exists()

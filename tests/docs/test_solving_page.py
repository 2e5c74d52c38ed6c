"""The page on solving: its table says what the file says, and its example finds what it draws."""

from __future__ import annotations

import importlib
import importlib.util
import json
import runpy
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from speckle_core import figures
from tests.docs.pages import DOCS

ROOT = DOCS.parent
ENTRIES = json.loads((DOCS / "results" / "solving" / "solved.json").read_text("utf-8"))


def script(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The package that writes tables and numbers into the pages."""
    monkeypatch.syspath_prepend(DOCS / "_ext")
    return importlib.import_module("results")


def test_a_row_of_the_table_has_the_numbers_of_its_entry(results: Any) -> None:
    rows = results.solving.solving().splitlines()[2:]
    assert len(rows) == len(ENTRIES) > 0
    for row, entry in zip(rows, ENTRIES.values(), strict=True):
        whole = entry["all"]
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert cells[2] == str(whole["patterns"])
        assert cells[3].startswith(f"{whole['right_n'] / whole['patterns']:.3f} [")
        assert cells[6] == f"{whole['claimed']} ({whole['false_claims']})"


def test_a_number_of_the_page_is_that_of_its_entry(results: Any) -> None:
    said = results.solving.solved
    for name, entry in ENTRIES.items():
        assert said(name, "structures") == f"{entry['all']['structures']:,}"
        first = str(entry["counts"][0])
        assert said(name, "right_n", first) == str(entry["by_n"][first][1])
        assert float(said(name, "median")) > 0


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_adds_up_over_its_numbers_of_bodies(name: str) -> None:
    entry = ENTRIES[name]
    for at, key in enumerate(entry["columns"][:8]):
        assert sum(group[at] for group in entry["by_n"].values()) == entry["all"][key]
    assert entry["command"].startswith("python benchmarks/solving.py")
    assert entry["all"]["false_claims"] == 0


def test_the_time_grows_no_faster_than_the_square(results: Any) -> None:
    assert 0 < float(results.solving.time_exponent()) < 2
    found = json.loads((DOCS / "results" / "solving" / "time.json").read_text("utf-8"))
    assert found["solved"] == [found["patterns"]] * len(found["counts"])
    for at in range(len(found["counts"])):
        assert 0.9 < sum(share[at] for share in found["shares"].values()) <= 1.01
    rows = results.solving.solving_time().splitlines()[2:]
    assert [row.split("|")[1].strip() for row in rows] == [str(n) for n in found["counts"]]


def test_a_claim_without_the_structure_is_a_false_one(tmp_path: Path) -> None:
    right = {"n": 2, "found": 2, "solved": True, "place": 1e-9, "radius": 1e-9, "length": 1e-9}
    lines = [
        right,
        right | {"radius": 0.01},
        {"n": 3, "found": 4, "solved": True},
        {"n": 3, "found": 2, "solved": False},
    ]
    path = tmp_path / "lines.jsonl"
    path.write_text("".join(json.dumps(line | {"cpu": 1.0}) + "\n" for line in lines))
    record = script(ROOT / "benchmarks" / "record_solving.py")
    whole = record.recorded(path, "some", "python benchmarks/solving.py")["all"]
    assert (whole["right_n"], whole["within_1"], whole["structures"]) == (2, 4, 1)
    assert (whole["claimed"], whole["false_claims"]) == (3, 2)


def test_the_example_solves_what_it_draws(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its pictures have tests of their own, so none is drawn here."""
    path = ROOT / "examples" / "solve_one.py"
    code = [line for line in path.read_text("utf-8").splitlines()[1:] if line.strip()]
    assert len(code) <= 20
    monkeypatch.setattr(figures, "solution_panel", lambda *given, **named: None)
    monkeypatch.setattr(figures, "save", lambda figure, path: None)
    monkeypatch.setattr(sys, "argv", [str(path)])
    runpy.run_path(str(path), run_name="__main__")
    assert "12 disks, solved: above 1.6" in capsys.readouterr().out

"""The tutorial as its reader does it: every file written, every command typed, in order.

About 15 s on an idle core, most of it processes that start.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import blocks
from tests.e2e.fresh_environment import Fresh

PAGE = "tutorial/first-geometry.md"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory, programs: Path) -> Fresh:
    return Fresh.made_in(tmp_path_factory.mktemp("venv") / "fresh", programs)


def _without_numbers(text: str) -> str:
    """Return text in which times and accuracies do not count."""
    return re.sub(r"\d+", "0", " ".join(text.split()))


def test_every_step_of_the_tutorial_does_what_it_says(fresh: Fresh, tmp_path: Path) -> None:
    typed = []
    for block in blocks(PAGE):
        if block.file is not None:
            (tmp_path / block.file).write_text(block.text, "utf-8")
            continue
        assert block.kind == "console"
        said = ""
        for line in block.text.splitlines():
            if line.startswith("$ "):
                typed.append(line[2:])
                done = fresh.run("bash", "-c", line[2:], cwd=tmp_path)
                said = done.stdout + done.stderr
                assert done.returncode == 0, f"{line}\n{said}"
            else:
                assert _without_numbers(line) in _without_numbers(said), line
    assert {command.split()[0] for command in typed} == {"speckle", "pip", "pytest"}
    for left in ("rods.png", "rods-run/report.html"):
        assert (tmp_path / left).stat().st_size > 20_000
    assert "rods" not in fresh.speckle("plugins", "list")


def test_the_geometry_takes_60_lines_of_the_authors_own_code() -> None:
    (code,) = [b.text for b in blocks(PAGE) if b.file == "rods/rods/sampler.py"]
    assert 40 <= len([line for line in code.splitlines() if line.strip()]) <= 60

"""The notebooks are the pages of the tutorial; test_blocks.py runs the code of both."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).parents[2] / "examples" / "notebooks"
_spec = importlib.util.spec_from_file_location("make_notebooks", NOTEBOOKS / "make.py")
assert _spec is not None
assert _spec.loader is not None
make = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(make)


@pytest.mark.parametrize("name", make.NAMES)
def test_a_notebook_is_its_page(name: str) -> None:
    page = (make.PAGES / f"{name}.md").read_text("utf-8")
    assert (NOTEBOOKS / f"{name}.ipynb").read_text("utf-8") == make.notebook(page)


def test_the_cells_of_a_notebook_run_in_order(tmp_path: Path, programs: Path) -> None:
    cells = json.loads((NOTEBOOKS / "zero-to-count.ipynb").read_text("utf-8"))["cells"]
    code = "\n".join(cell["source"] for cell in cells if cell["cell_type"] == "code")
    done = subprocess.run(
        [programs / "python", "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PRELOAD": "torch"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "it is read as 5" in done.stdout
    assert "at another k step it is read as 5" not in done.stdout

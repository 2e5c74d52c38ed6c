"""The programs of tests/warm.py do what a fresh process does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CODE = {
    "status": "import sys; sys.exit(3)",
    "words": "import sys; print(sys.argv, sys.executable, __name__); sys.exit('said')",
    "error": "print('before'); 1 / 0",
    "killed": "import os; os.kill(os.getpid(), 9)",
    "input": "print(input()[::-1], end='')",
    "path": "import beside, os; print(beside.VALUE, os.getcwd(), os.environ['MINE'])",
    "end": "import atexit; atexit.register(print, 'at the end')",
}


@pytest.mark.parametrize("code", CODE.values(), ids=CODE)
def test_it_answers_as_python_does(code: str, programs: Path, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "beside.py").write_text("VALUE = 'äß'")
    found = [
        subprocess.run(
            [python, "-c", code, "a", "b c"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path / "site"), "MINE": "x"},
            input="drow\n",
            capture_output=True,
            text=True,
            check=False,
        )
        for python in (programs / "python", sys.executable)
    ]
    ours, theirs = ((done.returncode, done.stdout, done.stderr[-40:]) for done in found)
    assert ours == theirs


def test_a_call_knows_nothing_of_the_one_before(programs: Path) -> None:
    python = str(programs / "python")
    subprocess.run([python, "-c", "import sys, json; json.odd = 1; sys.path.clear()"], check=True)
    subprocess.run([python, "-c", "import json; assert not hasattr(json, 'odd')"], check=True)

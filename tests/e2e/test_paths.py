"""The paths of a newcomer, each a script of commands in this folder, run as they stand.

The fourth, the report on a phone, is opened in a browser by tests/report/test_in_a_browser.py; an
installation in a clean environment is that of test_scaffold.py and test_third_party.py.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import TINY

HERE = Path(__file__).parent
SAYS = {
    "one-file.sh": ("report: run/report.html", "there are 7", "figure: mine.png", "or else"),
    "own-data.sh": ("nothing was written", "data: intact", "model: model", "my own reads"),
    "own-plugin.sh": ("Side of the box", "checks hold"),
}


@pytest.mark.parametrize("script", SAYS)
def test_a_newcomer_gets_there(script: str, tmp_path: Path, programs: Path) -> None:
    (tmp_path / "tiny.toml").write_text(TINY)
    path = os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", str(HERE / script)],
        cwd=tmp_path,
        env={**os.environ, "EXPERIMENT": str(tmp_path / "tiny.toml"), "PATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    for words in SAYS[script]:
        assert words in done.stdout, done.stdout

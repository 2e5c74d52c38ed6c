"""The paths of a newcomer, each a script of commands in this folder, run as they stand.

The fourth, the report on a phone, is opened in a browser by tests/report/test_in_a_browser.py; an
installation in a clean environment is that of test_scaffold.py and test_third_party.py.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import TINY

HERE = Path(__file__).parent
SAYS = {
    "one-file.sh": ("report: run/report.html", "there are 7", "figure: mine.png", "or else"),
    "own-data.sh": ("nothing was written", "data: intact", "model: model", "my own reads"),
    "own-plugin.sh": ("Side of the box", "checks hold"),
}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The folder of a `speckle` that takes no time to start, before those of the environment."""
    folder = tmp_path_factory.mktemp("bin")
    command = [sys.executable, "-m", "tests.e2e.warm", "serve", str(folder / "s"), str(folder)]
    with subprocess.Popen(
        command, cwd=HERE.parents[1], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    ) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        yield os.pathsep.join([str(folder), str(Path(sys.executable).parent), os.environ["PATH"]])
        server.kill()


@pytest.mark.parametrize("script", SAYS)
def test_a_newcomer_gets_there(script: str, tmp_path: Path, programs: str) -> None:
    (tmp_path / "tiny.toml").write_text(TINY)
    done = subprocess.run(
        ["bash", str(HERE / script)],
        cwd=tmp_path,
        env={**os.environ, "EXPERIMENT": str(tmp_path / "tiny.toml"), "PATH": programs},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    for words in SAYS[script]:
        assert words in done.stdout, done.stdout

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def run_python():
    """Return a function that runs a script in a fresh process and gives back the process."""

    def run(script, *arguments, prefix=(), **settings):
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        command = [sys.executable, *prefix, *(["-c"] if not prefix else []), script, *arguments]
        return subprocess.run(
            command,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=120,
            **settings,
        )

    return run

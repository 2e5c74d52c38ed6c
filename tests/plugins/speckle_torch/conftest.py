import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def runner(python, **environment):
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])

    def run(*arguments, **variables):
        return subprocess.run(
            [python, *arguments],
            env={**os.environ, **environment, "PYTHONPATH": path, **variables},
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


@pytest.fixture(scope="session")
def run_python():
    """Return a function that runs Python in a fresh process and gives back the process."""
    return runner(sys.executable)


@pytest.fixture(scope="session")
def run_warm(programs):
    """Return the same for a process that has torch already, and starts at once."""
    return runner(programs / "python", PRELOAD="torch")

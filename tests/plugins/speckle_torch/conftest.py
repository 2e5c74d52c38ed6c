import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def one_thread():
    """One thread: the tests share the machine, and one number of threads gives one result."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def run_python():
    """Return a function that runs a script in a fresh process and gives back the process."""

    def run(script, *arguments, prefix=(), **settings):
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        }
        command = [sys.executable, *prefix, *(["-c"] if not prefix else []), script, *arguments]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=120, **settings
        )

    return run

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def run_python():
    """Return a function that runs Python in a fresh process."""

    def run(*arguments, without=(), **variables):
        environment = {k: v for k, v in os.environ.items() if k not in without}
        environment |= variables
        return subprocess.run(
            [sys.executable, *arguments],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=600,
        )

    return run

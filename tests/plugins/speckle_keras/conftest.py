import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def run_python():
    """Return a function that runs Python in a fresh process."""

    def run(*arguments, python=sys.executable, **variables):
        return subprocess.run(
            [python, *arguments],
            env=os.environ | variables,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=600,
        )

    return run

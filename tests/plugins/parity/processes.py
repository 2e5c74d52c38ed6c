"""Starts the processes that the tests here compare."""

import os
import subprocess
import sys


def run(*arguments, **variables):
    """Run Python in a fresh process with one thread; return what it prints."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"} | variables
    process = subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=600
    )
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""
    return process.stdout.strip()

"""A fault at file operations of a small generate, train and run; the same call then ends alike.

The whole campaign, every operation and every kind of fault, is `python -m tests.campaigns.faults`.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked")
@pytest.mark.parametrize(
    ("actions", "kinds", "every", "fewest"),
    [
        ("generate import repair", ["kill", "full"], 4, 20),
        ("train-epochs", ["kill", "limit"], 8, 10),
        ("run-fresh", ["kill"], 60, 2),
        ("export", ["kill"], 1, 4),
        ("study", ["kill"], 38, 3),
    ],
)
def test_after_a_fault_the_same_call_leaves_the_same_files(
    actions: str, kinds: list[str], every: int, fewest: int, programs: Path
) -> None:
    program = [programs / "python", "-m", "tests.campaigns.faults"]
    command = [*program, *actions.split(), "--every", str(every)]
    done = subprocess.run(
        [*command, "--kinds", *kinds], cwd=ROOT, capture_output=True, text=True, timeout=500
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [f["wrong"] for f in found] == [[] for _ in actions.split()]
    assert sum(f["faults"] for f in found) >= fewest

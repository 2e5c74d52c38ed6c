"""The role of this process in a training that torchrun started.

The first process writes files and reports for all. The classifier decides how work is shared.
"""

from __future__ import annotations

import os


def team_size() -> int:
    """Return the number of processes that torchrun started, or 1 without torchrun."""
    return int(os.environ.get("WORLD_SIZE", 1)) if "RANK" in os.environ else 1


def is_main_process() -> bool:
    """Return whether this process, the first or only one, writes files and reports."""
    return team_size() == 1 or os.environ["RANK"] == "0"

"""Which of the processes of one training this is, as torchrun tells them.

The first one writes and reports for all. How the others compute along is the classifier's matter.
"""

from __future__ import annotations

import os


def team_size() -> int:
    """Return how many processes torchrun's environment names; 1 without torchrun."""
    return int(os.environ.get("WORLD_SIZE", 1)) if "RANK" in os.environ else 1


def leads() -> bool:
    """Say whether this process writes and reports: the first one, or the only one."""
    return team_size() == 1 or os.environ["RANK"] == "0"

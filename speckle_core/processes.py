"""Which of the processes of one training this is, as torchrun tells them.

The first one writes and reports for all. How the others compute along is the classifier's matter.
"""

from __future__ import annotations

import os


def leads() -> bool:
    """Say whether this process writes and reports: the first one, or the only one."""
    return os.environ.get("RANK", "0") == "0"


def several() -> bool:
    """Say whether there are other processes."""
    return "RANK" in os.environ and os.environ.get("WORLD_SIZE", "1") != "1"

"""Progress reports of long tasks; the command line draws them, a script may ignore them.

The base class does nothing and is the default.
"""

from __future__ import annotations

from speckle_core.contracts.roles import Epoch


class Progress:
    """Receives the progress of tasks and training epochs, and ignores it."""

    #: What the accuracies of epochs are called; of a value they are R².
    score = "accuracy"

    def start(
        self, task: str, total: int | None = None, unit: str = "patterns", *, epochs: bool = False
    ) -> None:
        """Start a task of `total` units of work, or None if unknown.

        With `epochs`, `total` is the number of units per epoch.
        """

    def advance(self, amount: int) -> None:
        """Advance the current task by `amount` units."""

    def epoch(self, epoch: Epoch) -> None:
        """Report a finished training epoch."""

    def finish(self, note: str = "") -> None:
        """Finish the current task; `note` is a short result to show."""

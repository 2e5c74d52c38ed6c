"""How long work tells whoever watches: the command line draws it, a script may ignore it.

The base class does nothing, so that it is also what runs when nobody watches.
"""

from __future__ import annotations

from speckle_core.contracts.roles import Epoch


class Progress:
    """Hears of tasks, their advance, finished epochs and remarks; does nothing with them."""

    def start(
        self, task: str, total: int | None = None, unit: str = "patterns", *, epochs: bool = False
    ) -> None:
        """Hear that a task begins, of `total` units of work, or None when that is not known.

        With `epochs` the units are those of one epoch, and come again in the next.
        """

    def advance(self, amount: int) -> None:
        """Hear that so many more units of the current task are done."""

    def epoch(self, epoch: Epoch) -> None:
        """Hear that one pass over the training patterns is over."""

    def finish(self, note: str = "") -> None:
        """Hear that the current task is over; `note` is what came of it."""

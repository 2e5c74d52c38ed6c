"""What is counted in a stage of work, and the line that it leaves."""

from __future__ import annotations

import math
import time

from speckle_core.cli.failure import say
from speckle_core.contracts.progress import Progress
from speckle_core.contracts.roles import Epoch
from speckle_core.words import counted, duration


class Stage(Progress):
    """Counts the work of a stage and prints one line when it is finished."""

    def start(
        self, task: str, total: int | None = None, unit: str = "patterns", *, epochs: bool = False
    ) -> None:
        """Store the stage."""
        self._task, self._total, self._unit, self._epochs = task, total, unit, epochs
        self._started = time.perf_counter()
        self._done = 0
        self._last: Epoch | None = None

    def advance(self, amount: int) -> None:
        """Count the units; in a stage without epochs, what is read twice counts once."""
        self._done += amount
        if self._total is not None and not self._epochs:
            self._done = min(self._done, self._total)

    def epoch(self, epoch: Epoch) -> None:
        """Store the epoch."""
        self._last = epoch

    def finish(self, note: str = "") -> None:
        """Print the summary line."""
        seconds = time.perf_counter() - self._started
        parts = [self._task + ":"]
        if self._last is not None:
            parts += [
                counted(self._last.number, "epoch") + ",",
                _format_scores(self._last, self.score) + ",",
            ]
        elif self._done:
            parts.append(counted(self._done, self._unit.removesuffix("s")) + ",")
        parts.append(duration(seconds))
        if self._done:
            parts.append(f"({format_rate(self._done / max(seconds, 1e-3))} {self._unit}/s)")
        say(" ".join(parts) + (f" - {note}" if note else ""))


def format_rate(speed: float) -> str:
    """Return a speed with two digits or more."""
    return f"{speed:.0f}" if speed >= 10 else f"{speed:.2g}"


def format_epoch(epoch: Epoch, score: str = "accuracy") -> str:
    """Return the line of one epoch; `score` is what its accuracies are called."""
    return (
        f"  epoch {epoch.number}/{epoch.of}: loss {epoch.loss:.4f}, {score} "
        f"{epoch.accuracy:.3f}, {_format_scores(epoch, score)}, {duration(epoch.seconds)}"
    )


def _format_scores(epoch: Epoch, score: str) -> str:
    """Return the validation scores, or the training score without validation patterns."""
    if math.isnan(epoch.valid_accuracy):
        return f"training {score} {epoch.accuracy:.3f}"
    return f"validation loss {epoch.valid_loss:.4f}, {score} {epoch.valid_accuracy:.3f}"

"""Long work as it is seen: bars on a terminal, lines elsewhere; always on stderr."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.text import Text

from speckle_core.cli.failure import say
from speckle_core.cli.output import counted, duration
from speckle_core.contracts.progress import Progress
from speckle_core.contracts.roles import Epoch
from speckle_core.models.torchrun import is_main_process


@contextlib.contextmanager
def watched() -> Iterator[Progress]:
    """Give the progress that suits this stderr; what is drawn is gone at the end of the block."""
    if not is_main_process():
        yield Progress()
        return
    console = Console(stderr=True, highlight=False, markup=False)
    if not console.is_terminal:
        yield StageLines()
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        TextColumn("{task.percentage:>3.0f} %"),
        _Rate(),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with Bars(*columns, console=console, transient=True) as bars:
        yield StageBars(bars)


class _Stage(Progress):
    """Counts the work of a stage and says on one line what came of it, when it is over."""

    def start(
        self, task: str, total: int | None = None, unit: str = "patterns", *, epochs: bool = False
    ) -> None:
        """Remember the stage."""
        self._task, self._total, self._unit, self._epochs = task, total, unit, epochs
        self._begun = time.perf_counter()
        self._done = 0
        self._last: Epoch | None = None

    def advance(self, amount: int) -> None:
        """Count."""
        self._done += amount

    def epoch(self, epoch: Epoch) -> None:
        """Remember the epoch."""
        self._last = epoch

    def finish(self, note: str = "") -> None:
        """Print the line."""
        seconds = time.perf_counter() - self._begun
        parts = [self._task + ":"]
        if self._last is not None:
            parts += [counted(self._last.number, "epoch") + ",", _reading(self._last) + ","]
        elif self._done:
            parts.append(f"{self._done} {self._unit},")
        parts.append(duration(seconds))
        if self._done:
            parts.append(f"({_rate(self._done / max(seconds, 1e-3))} {self._unit}/s)")
        say(" ".join(parts) + (f" - {note}" if note else ""))


class StageLines(_Stage):
    """Tells a log of a stage that lasts: where it is, and its epochs, each once in `EVERY` s."""

    EVERY = 60.0

    def start(
        self, task: str, total: int | None = None, unit: str = "patterns", *, epochs: bool = False
    ) -> None:
        """Remember the stage."""
        super().start(task, total, unit, epochs=epochs)
        self._told = self._told_epoch = self._begun
        self._before = 0

    def advance(self, amount: int) -> None:
        """Count, and after a silence say how far the stage has come."""
        super().advance(amount)
        now = time.perf_counter()
        if now - self._told >= self.EVERY:
            self._told = now
            say(f"  {self._position(now - self._begun)}")

    def epoch(self, epoch: Epoch) -> None:
        """Say the epoch, unless another was said just now."""
        super().epoch(epoch)
        self._before = self._done
        now = time.perf_counter()
        if now - self._told_epoch >= self.EVERY:
            self._told = self._told_epoch = now
            say(_spelt(epoch))

    def _position(self, seconds: float) -> str:
        """Return how far the stage has come after so many seconds, or the epoch of a training."""
        done, last = self._done - self._before, self._last
        if self._total is None:
            return f"{self._task}: {done} {self._unit}"
        place, passes, what = self._task, 1, ""
        if last is not None:
            place, passes = (
                f"{self._task}, epoch {last.number + 1}/{last.of}",
                last.of - last.number,
            )
        elif self._epochs:
            # How many there are is known once the first is over.
            place, what = f"{self._task}, this epoch", " of it"
        left = duration(seconds * (self._total * passes - done) / self._done)
        return f"{place}: {done} of {self._total} {self._unit}, {left} left{what}"


class StageBars(_Stage):
    """Draws a bar with rate and time left while a stage lasts, and a line for each epoch."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._bar = bars.add_task("", visible=False)

    def start(
        self, task: str, total: int | None = None, unit: str = "patterns", *, epochs: bool = False
    ) -> None:
        """Show the bar, empty."""
        super().start(task, total, unit, epochs=epochs)
        self._bars.reset(self._bar, total=total, description=task, visible=True, unit=unit)

    def advance(self, amount: int) -> None:
        """Move the bar."""
        super().advance(amount)
        self._bars.advance(self._bar, amount)

    def epoch(self, epoch: Epoch) -> None:
        """Print the epoch; let the bar, which was that of one epoch, stand for all of them."""
        first = self._last is None
        super().epoch(epoch)
        whole, done = (n * (self._total or 0) for n in (epoch.of, epoch.number))
        if first:
            # A training that goes on begins late; its bar may not take that for speed.
            self._bars.reset(self._bar, total=whole, completed=done)
        else:
            self._bars.update(self._bar, completed=done)
        say(_spelt(epoch))

    def finish(self, note: str = "") -> None:
        """Replace the bar by the stage's line."""
        self._bars.update(self._bar, visible=False)
        super().finish(note)


class _Rate(ProgressColumn):
    """Units a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{_rate(speed)} {task.fields.get('unit', '')}/s" if speed else "")


def _rate(speed: float) -> str:
    return f"{speed:.0f}" if speed >= 10 else f"{speed:.2g}"


def _spelt(epoch: Epoch) -> str:
    return (
        f"  epoch {epoch.number}/{epoch.of}: loss {epoch.loss:.4f}, accuracy "
        f"{epoch.accuracy:.3f}, {_reading(epoch)}, {duration(epoch.seconds)}"
    )


def _reading(epoch: Epoch) -> str:
    """Return what the patterns that were not trained on say, or the training ones without such."""
    if math.isnan(epoch.valid_accuracy):
        return f"training accuracy {epoch.accuracy:.3f}"
    return f"validation loss {epoch.valid_loss:.4f}, accuracy {epoch.valid_accuracy:.3f}"

"""Progress of long tasks on stderr: bars on a terminal, lines elsewhere."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.text import Text

from speckle_core.cli.failure import say
from speckle_core.cli.stage import Stage, format_epoch, format_rate
from speckle_core.contracts.progress import Progress
from speckle_core.contracts.roles import Epoch
from speckle_core.models.torchrun import is_main_process
from speckle_core.words import duration


@contextlib.contextmanager
def show_progress() -> Iterator[Progress]:
    """Provide the progress display that suits stderr; bars disappear at the end of the block."""
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


class StageLines(Stage):
    """Prints the position in a long stage, and its epochs, at most once in `EVERY` seconds."""

    EVERY = 60.0

    def start(
        self, task: str, total: int | None = None, unit: str = "patterns", *, epochs: bool = False
    ) -> None:
        """Store the stage and the times of the last lines."""
        super().start(task, total, unit, epochs=epochs)
        self._last_line = self._last_epoch_line = self._started
        self._before = 0

    def advance(self, amount: int) -> None:
        """Count, and print the position if nothing was printed for `EVERY` seconds."""
        super().advance(amount)
        now = time.perf_counter()
        if now - self._last_line >= self.EVERY:
            self._last_line = now
            say(f"  {self._position(now - self._started)}")

    def epoch(self, epoch: Epoch) -> None:
        """Print the epoch, unless one was printed in the last `EVERY` seconds."""
        super().epoch(epoch)
        self._before = self._done
        now = time.perf_counter()
        if now - self._last_epoch_line >= self.EVERY:
            self._last_line = self._last_epoch_line = now
            say(format_epoch(epoch, self.score))

    def _position(self, seconds: float) -> str:
        """Return the position in the stage after `seconds`, with the time left."""
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
            # The number of epochs is known only after the first.
            place, what = f"{self._task}, this epoch", " of it"
        left = duration(seconds * (self._total * passes - done) / self._done)
        return f"{place}: {done} of {self._total} {self._unit}, {left} left{what}"


class StageBars(Stage):
    """Draws a bar with rate and time left during a stage, and prints a line for each epoch."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._bar = bars.add_task("", visible=False)

    def start(
        self, task: str, total: int | None = None, unit: str = "patterns", *, epochs: bool = False
    ) -> None:
        """Show an empty bar."""
        super().start(task, total, unit, epochs=epochs)
        self._bars.reset(self._bar, total=total, description=task, visible=True, unit=unit)

    def advance(self, amount: int) -> None:
        """Advance the bar."""
        super().advance(amount)
        self._bars.advance(self._bar, amount)

    def epoch(self, epoch: Epoch) -> None:
        """Print the epoch; after the first, the bar covers all epochs instead of one."""
        first = self._last is None
        super().epoch(epoch)
        whole, done = (n * (self._total or 0) for n in (epoch.of, epoch.number))
        if first:
            # A resumed training does not start at zero; this must not count as speed.
            self._bars.reset(self._bar, total=whole, completed=done)
        else:
            self._bars.update(self._bar, completed=done)
        say(format_epoch(epoch, self.score))

    def finish(self, note: str = "") -> None:
        """Replace the bar by the summary line."""
        self._bars.update(self._bar, visible=False)
        super().finish(note)


class _Rate(ProgressColumn):
    """Units per second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{format_rate(speed)} {task.fields.get('unit', '')}/s" if speed else "")

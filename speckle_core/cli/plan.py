"""The plan of a command with time and size, for ``--dry-run`` and before long work."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from speckle_core.cli.output import echo
from speckle_core.words import counted

if TYPE_CHECKING:
    from pathlib import Path

    from speckle_core.data.dataset import Dataset
    from speckle_core.experiment.experiment import Experiment
    from speckle_core.models.rehearsal import Rehearsal

#: Announce the duration of work that takes longer than this [s].
LONG = 120


def check_start(
    experiment: Experiment,
    folder: Path,
    *,
    only: tuple[str, ...],
    dataset: Dataset | None = None,
    quiet: bool = False,
) -> Rehearsal:
    """Rehearse the work on a few patterns, and announce its duration if it is long.

    Raises
    ------
    SpeckleError
        For everything that is known to make the work fail.
    """
    from speckle_core.cli.failure import say
    from speckle_core.cli.progress import show_progress
    from speckle_core.contracts.progress import Progress
    from speckle_core.errors import SpeckleError, combine
    from speckle_core.models.rehearsal import human_bytes, rehearse
    from speckle_core.words import duration

    # Simulating a few patterns takes no time; training on them may take a minute.
    with (
        show_progress() if "classifier" in only else contextlib.nullcontext(Progress()) as progress
    ):
        progress.start("check on a few patterns")
        found = rehearse(experiment, folder, only=only, dataset=dataset)
        progress.finish()
    if found.faults:
        raise combine(found.faults, SpeckleError)
    total = sum(found.seconds.values())
    if total > LONG and not quiet:
        size = f" and {human_bytes(found.data_bytes)}" if found.data_bytes else ""
        say(f"this will take about {duration(total)}{size}, estimated from a few patterns")
    return found


def print_plan(found: Rehearsal, folder: Path, *, as_json: bool) -> None:
    """Print each stage with its time, and the size of the data."""
    from speckle_core.cli.output import print_json, print_table
    from speckle_core.models.rehearsal import human_bytes
    from speckle_core.words import duration

    about: dict[str, Any] = {
        "folder": str(folder),
        "patterns": found.patterns,
        "size": found.size,
        "bytes": found.data_bytes,
        "seconds": found.seconds,
    }
    if as_json:
        print_json(about)
        return
    size = f", {human_bytes(found.data_bytes)}" if found.data_bytes else ""
    echo(f"{counted(found.patterns, 'pattern')} of {found.size} x {found.size} pixels{size}\n")
    rows = [(stage, f"about {duration(seconds)}") for stage, seconds in found.seconds.items()]
    print_table(("stage", "time, in one process"), rows)
    echo("\nAll checks passed; nothing was written.")

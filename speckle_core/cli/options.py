"""Arguments and options that commands share, so that one word means one thing everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from speckle_core.cli.failure import say, usage
from speckle_core.errors import (
    AmbiguousComponentError,
    ExperimentError,
    OutputError,
    UnknownComponentError,
)
from speckle_core.files import empty

if TYPE_CHECKING:
    from collections.abc import Callable

    from speckle_core.experiment.experiment import Experiment

ExperimentName = Annotated[
    str, typer.Argument(metavar="EXPERIMENT", help="A preset's name, or a TOML file.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change one key of the experiment; may be given again.",
        show_default=False,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Processes that simulate; by default one for each core.",
        show_default=False,
    ),
]
Tensorboard = Annotated[
    bool,
    typer.Option(
        "--tensorboard", help="Write event files for TensorBoard beside the model, epoch by epoch."
    ),
]
ModelFolder = Annotated[
    Path, typer.Argument(metavar="MODEL_DIR", help="A folder that speckle train or run wrote.")
]
DataOption = Annotated[
    Path, typer.Option("--data", metavar="DATA_DIR", help="A data set that speckle generate wrote.")
]
Files = Annotated[
    list[Path], typer.Argument(metavar="FILE", help="Patterns as .h5, .npy, .mat or .tif.")
]
Inside = Annotated[
    str | None,
    typer.Option(
        "--dataset",
        metavar="NAME",
        help="Which array of an .h5 or .mat file; by default the marked or only one.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]


def load_experiment(
    source: str, settings: list[str] | None, make: Callable[[Experiment], object]
) -> Experiment:
    """Return the experiment of a command's arguments, with every component and option checked.

    Parameters
    ----------
    source, settings
        The arguments EXPERIMENT and ``--set``.
    make : callable
        Makes the components that the command needs, so that an option that one of them refuses,
        or a package that is missing, shows at once and not after an hour of work.

    Raises
    ------
    UsageError
        For whatever is wrong with the experiment.
    PluginError
        When a component of it cannot be made here.
    """
    from speckle_core.experiment.experiment import Experiment

    notes: list[str] = []
    # That a plugin is broken or a package missing is no fault of the arguments.
    with usage(ExperimentError, UnknownComponentError, AmbiguousComponentError):
        experiment = Experiment.load(source, settings or (), on_note=notes.append)
        experiment.resolved()
        make(experiment)
    for note in notes:
        say(f"note: {note}")
    return experiment


def new_folder(folder: Path) -> Path:
    """Return `folder` if results may go there: it is empty or not there yet.

    Raises
    ------
    OutputError
        When it holds something, which is never overwritten.
    """
    if not empty(folder):
        raise OutputError(
            "holds something already", where=str(folder), hint="Choose another folder for -o."
        )
    return folder

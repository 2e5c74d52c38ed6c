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
    PluginError,
    UnknownComponentError,
    combined,
)
from speckle_core.files import empty

if TYPE_CHECKING:
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
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Check all of it and print plan, time and size; write nothing."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]


def load_experiment(
    source: str, settings: list[str] | None, *, only: tuple[str, ...] = ()
) -> Experiment:
    """Return the experiment of a command's arguments, with every component and option checked.

    Parameters
    ----------
    source, settings
        The arguments EXPERIMENT and ``--set``.
    only : tuple of str
        The keys whose components the command needs; by default all. They are made, so that an
        option that one of them refuses, or a package that is missing, shows at once.

    Raises
    ------
    UsageError
        For whatever is wrong with the experiment, all of it at once.
    PluginError
        When a component of it cannot be made here.
    """
    from speckle_core.experiment.experiment import Experiment
    from speckle_core.experiment.preflight import component_faults
    from speckle_core.experiment.presets import read_source

    notes: list[str] = []
    # That a plugin is broken or a package missing is no fault of the arguments.
    wrong = (ExperimentError, UnknownComponentError, AmbiguousComponentError)
    with usage(*wrong):
        experiment = Experiment.load(source, settings or (), on_note=notes.append)
        if faults := component_faults(experiment, only, where=read_source(source)[0]):
            ours = all(isinstance(fault, wrong) for fault in faults)
            raise combined(faults, ExperimentError if ours else PluginError)
        experiment.kgrid()
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

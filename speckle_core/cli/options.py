"""Arguments and options shared by several commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from speckle_core.cli.failure import say, usage
from speckle_core.errors import (
    AmbiguousComponentError,
    ExperimentError,
    PluginError,
    UnknownComponentError,
    combine,
)
from speckle_core.files import inside_run
from speckle_core.models.shipped import model_folder

if TYPE_CHECKING:
    from speckle_core.experiment.experiment import Experiment


def data_folder(path: Path | None) -> Path | None:
    """Return the data set in `path` if that is the folder of a run, else `path` itself."""
    return path and inside_run(path, "data", "manifest.json")


ExperimentName = Annotated[
    str, typer.Argument(metavar="EXPERIMENT", help="Name of a preset, or a TOML file.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change one key of the experiment; can be repeated.",
        show_default=False,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Number of processes. Default: one per core.",
        show_default=False,
    ),
]
Tensorboard = Annotated[
    bool,
    typer.Option(
        "--tensorboard",
        metavar="",
        help="Write TensorBoard event files beside the model, after each epoch.",
    ),
]
ModelFolder = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL_DIR",
        help="A model folder, the folder of a run, or a name from speckle models list.",
        callback=model_folder,
    ),
]
DataOption = Annotated[
    Path,
    typer.Option(
        "--data",
        metavar="DATA_DIR",
        help="A data set from speckle generate or import, or the folder of a run.",
        callback=data_folder,
    ),
]
OptionalData = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DATA_DIR",
        help="A data set from speckle generate or import, or the folder of a run.",
        show_default=False,
        callback=data_folder,
    ),
]
Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE", help="Frames, of any format that a reader knows: speckle plugins list."
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        metavar="",
        help="Only check, and print the plan with time and size; write nothing.",
    ),
]
Json = Annotated[
    bool, typer.Option("--json", metavar="", help="Print one JSON document on stdout.")
]


def output_folder(what: str) -> Any:
    """Return the option ``-o``, a folder that may be left out, with its help."""
    return typer.Option("-o", "--output", metavar="DIR", help=what)


def load_experiment(
    source: str, settings: list[str] | None, *, only: tuple[str, ...] = ()
) -> Experiment:
    """Load the experiment given by a command's arguments and check all its components.

    Parameters
    ----------
    source, settings
        The arguments EXPERIMENT and ``--set``.
    only : tuple of str
        Keys whose components the command needs, by default all. They are created, so that an
        invalid option or a missing package is reported at once.

    Raises
    ------
    UsageError
        For errors in the experiment; all are reported at once.
    PluginError
        When a component cannot be created on this machine.
    """
    from speckle_core.experiment.experiment import Experiment
    from speckle_core.experiment.preflight import check_memory, component_faults
    from speckle_core.experiment.presets import read_source

    notes: list[str] = []
    # A broken plugin or a missing package is not a usage error.
    wrong = (ExperimentError, UnknownComponentError, AmbiguousComponentError)
    with usage(*wrong):
        experiment = Experiment.load(source, settings or (), on_note=notes.append)
        if faults := component_faults(experiment, only, where=read_source(source)[0]):
            ours = all(isinstance(fault, wrong) for fault in faults)
            raise combine(faults, ExperimentError if ours else PluginError)
        check_memory(experiment.kgrid())
    for note in notes:
        say(f"note: {note}")
    return experiment

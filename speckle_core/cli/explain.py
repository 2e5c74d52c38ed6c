"""``speckle explain``: the pixels that a model used, as pictures and numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from speckle_core.cli.frame_options import with_frame_options
from speckle_core.cli.options import Json, ModelFolder, OptionalData, Settings, new_folder
from speckle_core.cli.output import echo

if TYPE_CHECKING:
    from speckle_core.contracts.arrays import IntArray
    from speckle_core.data.frame_options import FrameOptions
    from speckle_core.experiment.schema import Choice


@with_frame_options
def explain(
    model: ModelFolder,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="Patterns of your own, instead of --data."),
    ] = None,
    data: OptionalData = None,
    *,
    frames: FrameOptions,
    explainer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Explainer to use; can be repeated. Default: those of the model's experiment.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="A new folder.")
    ] = Path("maps"),
    index: Annotated[
        list[int] | None,
        typer.Option(
            metavar="I",
            help="Index of a pattern in the data set, from 0; can be repeated. Default: the first "
            "test pattern of each class.",
            show_default=False,
        ),
    ] = None,
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Draw which pixels a model used: of a data set, or of patterns in files.

    Each picture explains the predicted class, which may be wrong. Over several test patterns
    of each class, the maps are also analysed against k and compared with those of the same
    network with random weights and with random pixels.

    Of a file, each pattern is drawn with its maps and with the zeros of the form factor that the
    predicted number would have; the answer is printed as speckle predict does.

    For example:

      speckle explain my-model pattern.npy
      speckle explain my-model --data my-data --explainer saliency -o maps
      speckle explain my-model --data my-data --explainer grad-cam --index 7 -o 7
      speckle explain my-model --data my-data --explainer integrated-gradients
        --set integrated-gradients.steps=64 -o maps
    """
    import attrs

    from speckle_core.cli.explain_files import explain_files
    from speckle_core.cli.failure import usage
    from speckle_core.cli.output import print_json
    from speckle_core.cli.progress import show_progress
    from speckle_core.data.dataset import Dataset
    from speckle_core.errors import (
        AmbiguousComponentError,
        ExperimentError,
        UnknownComponentError,
    )
    from speckle_core.explain.folder import NUMBERS, explain_model
    from speckle_core.models.folder import load_model

    if (data is None) == (not files):
        raise typer.BadParameter("give either pattern files or --data")
    new_folder(output)
    choices = _explainers(explainer or [], settings or [], model)
    if files:
        if index:
            raise typer.BadParameter("--index picks patterns of a data set, not of files")
        explain_files(model, files, choices, output, frames=frames, as_json=as_json)
        return
    assert data is not None
    dataset = Dataset.open(data)
    chosen = _check_indices(index, len(dataset))
    loaded = load_model(model, baselines=False)
    experiment = attrs.evolve(loaded.record.experiment, explainers=choices)
    with usage(ExperimentError, UnknownComponentError, AmbiguousComponentError):
        explainers = experiment.build(only=("explainers",)).explainers
    with show_progress() as progress:
        written = explain_model(
            loaded,
            dataset,
            explainers,
            output,
            chosen=chosen,
            analysed=chosen is None,
            progress=progress,
        )
    if as_json:
        print_json({"folder": str(output), "files": written})
        return
    echo(f"maps: {output} ({len(written) - 2} pictures, and the numbers in {NUMBERS})")


def _explainers(names: list[str], settings: list[str], model: Path) -> tuple[Choice, ...]:
    """Return the requested explainers with options from ``NAME.option=value`` settings."""
    from speckle_core.cli.failure import usage
    from speckle_core.errors import ExperimentError
    from speckle_core.experiment.presets import parse_setting
    from speckle_core.experiment.schema import Choice
    from speckle_core.models.folder import read_record

    chosen = tuple(map(Choice, names)) or read_record(model).experiment.explainers
    if not chosen:
        raise typer.BadParameter("the model's experiment has no explainer: give --explainer NAME")
    if not settings:
        return chosen
    options: dict[str, dict[str, Any]] = {c.name: dict(c.options) for c in chosen}
    with usage(ExperimentError):
        for setting in settings:
            key, value = parse_setting(setting)
            name, _, option = key.rpartition(".")
            if name not in options or not option:
                raise ExperimentError(
                    f"{key!r} is not an option of a requested explainer",
                    where="--set",
                    hint=f"Write --set {next(iter(options))}.OPTION=VALUE.",
                )
            options[name][option] = value
    return tuple(Choice(name, given) for name, given in options.items())


def _check_indices(index: list[int] | None, patterns: int) -> IntArray | None:
    import numpy as np

    from speckle_core.errors import DataError

    for place in index or ():
        if not 0 <= place < patterns:
            raise DataError(
                f"there is no pattern {place}",
                where="--index",
                hint=f"The data set has the patterns 0 to {patterns - 1}.",
            )
    return np.unique(index) if index else None

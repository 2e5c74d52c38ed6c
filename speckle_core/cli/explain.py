"""``speckle explain``: the pixels that a model used, as pictures and numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from speckle_core.cli.files import new_folder
from speckle_core.cli.frame_options import with_frame_options
from speckle_core.cli.options import Json, ModelFolder, OptionalData, output_folder
from speckle_core.cli.output import echo

if TYPE_CHECKING:
    from speckle_core.data.frame_options import FrameOptions


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
            help="Explainer to use; can be repeated. Default: those of the model's experiment, or "
            "occlusion if it has none.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[Path, output_folder("A new folder.")] = Path("maps"),
    index: Annotated[
        list[int] | None,
        typer.Option(
            metavar="I",
            help="Index of a pattern in the data set, from 0; can be repeated. Default: the first "
            "test pattern of each class.",
            show_default=False,
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Set an option of an explainer, as EXPLAINER.OPTION=VALUE; can be repeated.",
            show_default=False,
        ),
    ] = None,
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

    from speckle_core.cli.explain_choices import chosen_explainers, chosen_patterns
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
    from speckle_core.explain.report_section import summaries
    from speckle_core.models.folder import load_model

    if (data is None) == (not files):
        raise typer.BadParameter("give either pattern files or --data")
    new_folder(output)
    choices = chosen_explainers(explainer or [], settings or [], model)
    if files:
        if index:
            raise typer.BadParameter("--index picks patterns of a data set, not of files")
        explain_files(model, files, choices, output, frames=frames, as_json=as_json)
        return
    assert data is not None
    dataset = Dataset.open(data)
    chosen = chosen_patterns(index, len(dataset))
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
    found = summaries(output)
    if as_json:
        print_json({"folder": str(output), "files": written, "findings": found})
        return
    for name, sentences in found.items():
        echo(f"{name}: {sentences}\n")
    echo(f"maps: {output} ({len(written) - 2} pictures, and the numbers in {NUMBERS})")

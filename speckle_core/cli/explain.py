"""``speckle explain``: which pixels a model used, as pictures and as numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from speckle_core.cli.options import DataOption, Json, ModelFolder, new_folder

if TYPE_CHECKING:
    from speckle_core.roles import IntArray


def explain(
    model: ModelFolder,
    data: DataOption,
    explainer: Annotated[
        list[str],
        typer.Option(metavar="NAME", help="Which explainer; may be given again."),
    ],
    output: Annotated[Path, typer.Option("-o", metavar="DIR", help="A new folder.")],
    index: Annotated[
        list[int] | None,
        typer.Option(
            metavar="I",
            help="A pattern's place in the data set, from 0; may be given again. By default the "
            "first test pattern of each class.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Draw which pixels a model used to read patterns, and keep the maps as HDF5.

    Each picture explains the class that the model read, which need not be the true one. Over
    several test patterns of each class, the maps are also set against k, against those of the
    same network with random weights, and against random pixels.

    For example:

      speckle explain my-model --data my-data --explainer saliency -o maps
      speckle explain my-model --data my-data --explainer grad-cam --index 7 -o 7
    """
    from speckle_core.cli.output import print_json
    from speckle_core.cli.progress import watched
    from speckle_core.dataset import Dataset
    from speckle_core.explaining import NUMBERS, explain_model
    from speckle_core.models import load_model
    from speckle_core.plugins import plugin_manager

    new_folder(output)
    made = {name: plugin_manager().create("explainer", name) for name in explainer}
    dataset = Dataset.open(data)
    chosen = _chosen(index, len(dataset))
    loaded = load_model(model, baselines=False)
    with watched() as progress:
        files = explain_model(loaded, dataset, made, output, chosen=chosen, progress=progress)
    if as_json:
        print_json({"folder": str(output), "files": files})
        return
    typer.echo(f"maps: {output} ({len(files) - 2} pictures, and the numbers in {NUMBERS})")


def _chosen(index: list[int] | None, patterns: int) -> IntArray | None:
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

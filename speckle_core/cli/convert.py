"""``speckle convert``: convert a model for another classifier."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from speckle_core.cli.files import new_folder
from speckle_core.cli.options import Json, ModelFolder
from speckle_core.cli.output import echo


def convert(
    model: ModelFolder,
    to: Annotated[str, typer.Option("--to", metavar="NAME", help="The classifier to convert to.")],
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", metavar="DIR", help="Folder of the new model; the old one is kept."
        ),
    ],
    as_json: Json = False,
) -> None:
    """Convert a model for another classifier that reads the same files.

    The paper's network and specklenet exist in PyTorch and in Keras. Weights are transferred
    unchanged, and options that both classifiers have are kept.

    For example:

      speckle convert models/quick --to keras-resnet50 -o models/quick-keras
      speckle convert models/quick-keras --to torch-resnet50 -o models/quick-again
    """
    from speckle_core.cli.output import print_json
    from speckle_core.models.convert import convert as convert_model

    record = convert_model(model, to, new_folder(output))
    if as_json:
        print_json({"model": str(output), "classifier": record.classifier.to_dict()})
        return
    echo(f"model: {output}")

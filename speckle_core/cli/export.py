"""``speckle export``: write a model as an ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from speckle_core.cli.options import Json, ModelFolder
from speckle_core.cli.output import echo


def export(
    model: ModelFolder,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="The new ONNX file.")
    ],
    as_json: Json = False,
) -> None:
    """Write the classifier of a model as one ONNX file.

    The file runs without speckle and PyTorch, for example with onnxruntime. Its input "patterns"
    is a batch of prepared patterns, its outputs "scores" and "probabilities" have one column for
    each number of particles. Its metadata say which these are, on which grid it was trained, and
    how patterns are prepared. Networks in PyTorch can be exported; it needs the extra "onnx".

    For example:

      speckle export models/quick -o quick.onnx
    """
    from speckle_core.cli.output import print_json
    from speckle_core.models.export import export as export_model

    digest = export_model(model, output)
    if as_json:
        print_json({"model": str(model), "file": str(output), "sha256": digest})
        return
    echo(f"ONNX file: {output}")

"""Write a trained model as one ONNX file, for programs without speckle and its frameworks."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import attrs

from speckle_core._version import __version__
from speckle_core.contracts.capabilities import SupportsOnnx
from speckle_core.errors import OutputError, PluginError
from speckle_core.files import make_folder, sweep_beside, write_bytes
from speckle_core.models.folder import ModelRecord, load_model


def export(folder: Path, path: Path) -> str:
    """Write the classifier of the model in `folder` to the new file `path`; return its SHA-256.

    Its input is prepared patterns; how to prepare them stands in the metadata of the file.

    Raises
    ------
    OutputError
        When `path` exists or cannot be written.
    ModelError
        When `folder` is not a complete model.
    PluginError
        When its classifier cannot be exported.
    """
    if path.exists():
        raise OutputError("exists already", where=str(path), hint="Choose another file for -o.")
    model = load_model(folder, baselines=False)
    classifier = model.pipeline.classifier
    if model.record.experiment.target is not None:
        raise PluginError(
            "a model of a value cannot be written as ONNX",
            where=str(folder),
            hint="Only models of classes can.",
        )
    if not isinstance(classifier, SupportsOnnx):
        raise PluginError(
            f"{model.record.classifier.name} cannot be written as ONNX",
            where=str(folder),
            hint="Networks of plain PyTorch operations can. 'speckle convert' makes a "
            "torch-resnet50 of a keras-resnet50.",
        )
    content = classifier.to_onnx(metadata_of(model.record))
    make_folder(path.absolute().parent)
    sweep_beside(path)
    write_bytes(path, content)
    return hashlib.sha256(content).hexdigest()


def metadata_of(record: ModelRecord) -> dict[str, str]:
    """Return what the file says of the model, as texts; lists and tables are JSON."""
    return {
        "speckle.version": __version__,
        "speckle.classes": json.dumps(list(record.classes)),
        "speckle.grid": json.dumps(attrs.asdict(record.grid)),
        "speckle.prepare": json.dumps([choice.to_dict() for choice in record.prepare]),
        "speckle.classifier": json.dumps(record.classifier.to_dict()),
        "speckle.trained_on": record.trained_on,
        "speckle.experiment": record.experiment.to_toml(),
    }

"""A trained model as a folder: a TOML record of the components, and files of weights.

``model.toml`` names the components and their options; the architecture is rebuilt from those and
only weights are loaded, so no file can run code. ``model.toml`` is written last: a folder that has
it is complete.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import tomli_w

from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.roles import Classifier
from speckle_core.errors import ExperimentError, ModelError, OutputError
from speckle_core.experiment.experiment import Experiment
from speckle_core.experiment.pipeline import Pipeline
from speckle_core.experiment.provenance import versions
from speckle_core.experiment.schema import Choice, converter, structure
from speckle_core.experiment.sections import Grid
from speckle_core.files import make_folder, sweep, write_text

FORMAT = 1
RECORD = "model.toml"


@attrs.frozen(kw_only=True)
class ModelRecord:
    """The content of ``model.toml``.

    Parameters
    ----------
    format : int
        Version of the folder's layout.
    classes : tuple of int
        Class values in the order of the classifier's columns.
    grid : KGrid
        The grid that the model was trained on.
    prepare, classifier, baselines
        The components that process a pattern.
    trained_on : str
        SHA-256 of the recipe of the training data; see `fingerprint`.
    versions : dict
        Of the software that trained the model.
    experiment : Experiment
        The resolved experiment; its split defines the training patterns.
    """

    format: int
    classes: tuple[int, ...]
    grid: KGrid
    prepare: tuple[Choice, ...]
    classifier: Choice
    baselines: tuple[Choice, ...]
    trained_on: str
    versions: dict[str, str]
    experiment: Experiment


@attrs.frozen(eq=False)
class Model:
    """A trained pipeline and its record."""

    pipeline: Pipeline
    record: ModelRecord


def fingerprint(recipe: dict[str, Any]) -> str:
    """Return the SHA-256 of plain values; it does not depend on the order of keys."""
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()


def save_model(pipeline: Pipeline, experiment: Experiment, folder: Path) -> Model:
    """Write the trained `pipeline` to `folder`, ``model.toml`` last.

    Raises
    ------
    OutputError
        When the folder already contains a model, or cannot be written.
    """
    if (folder / RECORD).exists():
        raise OutputError(
            "already contains a model", where=str(folder), hint="Choose another folder for -o."
        )
    make_folder(folder)
    sweep(folder)
    _save_classifier(pipeline.classifier, folder / "classifier")
    for name, baseline in pipeline.baselines.items():
        _save_classifier(baseline, make_folder(folder / "baselines") / name)
    record = record_of(pipeline, experiment)
    write_record(record, folder)
    return Model(pipeline, record)


def record_of(pipeline: Pipeline, experiment: Experiment) -> ModelRecord:
    """Return the record of the trained `pipeline`."""
    data = pipeline.recipe() | {
        "format": FORMAT,
        "classes": [int(c) for c in pipeline.classifier.classes],
        "trained_on": fingerprint(experiment.data_recipe()),
        "versions": versions(experiment),
        "experiment": experiment.resolved().to_dict(),
    }
    if experiment.classifier.label:
        data["classifier"] |= {"label": experiment.classifier.label}
    return structure(data, ModelRecord, RECORD)


def write_record(record: ModelRecord, folder: Path) -> None:
    """Write ``model.toml``, which marks the folder as complete.

    Raises
    ------
    OutputError
        When it cannot be written.
    """
    data: dict[str, Any] = converter.unstructure(record)
    data["experiment"] = record.experiment.to_dict()
    write_text(folder / RECORD, tomli_w.dumps(data))


def _save_classifier(classifier: Classifier, target: Path) -> None:
    """Save `classifier` to a temporary folder, then rename that to `target` in one step."""
    temporary = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=target.parent))
    try:
        temporary.chmod(0o755)
        classifier.save(temporary)
        shutil.rmtree(target, ignore_errors=True)
        os.replace(temporary, target)
    except OSError as error:
        raise OutputError(
            f"cannot be written: {error.strerror or error}", where=str(target)
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def read_record(folder: Path) -> ModelRecord:
    """Read the record of a model folder.

    Raises
    ------
    ModelError
        When the folder is not a complete model, or the record is damaged or of another version.
    """
    path = folder / RECORD
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ModelError(
            "is not a model folder: model.toml is missing",
            where=str(folder),
            hint="An interrupted training has none yet; run the same command again.",
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ModelError(f"cannot be read: {error}", where=str(path)) from error
    if data.get("format") != FORMAT:
        raise ModelError(
            f"has format {data.get('format')!r}; this version reads {FORMAT}", where=str(path)
        )
    try:
        return structure(data, ModelRecord, str(path))
    except ExperimentError as error:
        raise ModelError(error.what, where=error.where, hint=error.hint) from error


def load_model(folder: Path, *, baselines: bool = True) -> Model:
    """Load the model in `folder`; without `baselines`, only its classifier.

    Raises
    ------
    ModelError
        When the folder is incomplete, damaged, or does not match its own record.
    PluginError
        When one of its components is not installed.
    """
    record = read_record(folder)
    # The record's components override the experiment's, because `convert` changes only the record.
    reading = attrs.evolve(
        record.experiment,
        grid=Grid(**attrs.asdict(record.grid)),
        prepare=record.prepare,
        classifier=record.classifier,
        baselines=record.baselines,
    )
    parts = ("prepare", "classifier", *(("baselines",) if baselines else ()))
    pipeline = reading.build(only=parts, where=f"{folder / RECORD}: ")
    pipeline.classifier.load(folder / "classifier")
    for name, baseline in pipeline.baselines.items():
        baseline.load(folder / "baselines" / name)
    if not np.array_equal(pipeline.classifier.classes, record.classes):
        raise ModelError(
            f"the classifier has the classes {pipeline.classifier.classes.tolist()}, "
            f"but model.toml says {list(record.classes)}",
            where=str(folder),
        )
    return Model(pipeline, record)

"""A trained model as a folder: TOML for what it is, safe files for what it learned.

``model.toml`` names the components and their options; the architecture is rebuilt from those, and
only weights are loaded. It is written last, so a folder that has it is whole. No file here runs
code.
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
    """What ``model.toml`` says.

    Parameters
    ----------
    format : int
        Version of this layout.
    classes : tuple of int
        Class values in the order of the classifier's columns.
    grid : KGrid
        The grid it was trained on.
    prepare, classifier, baselines
        The components that read a pattern.
    trained_on : str
        SHA-256 of the recipe of the training data; see `fingerprint`.
    versions : dict
        Of the software that trained it.
    experiment : Experiment
        The resolved experiment; its split says which patterns it has seen.
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
    """A trained pipeline, and the record it came with."""

    pipeline: Pipeline
    record: ModelRecord


def fingerprint(recipe: dict[str, Any]) -> str:
    """Return the SHA-256 of plain values, the same for the same values in any order of keys."""
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()


def save_model(pipeline: Pipeline, experiment: Experiment, folder: Path) -> Model:
    """Write the trained `pipeline` into `folder`; ``model.toml`` last.

    Raises
    ------
    OutputError
        When the folder holds another model, or cannot be written.
    """
    if (folder / RECORD).exists():
        raise OutputError(
            "holds a model already", where=str(folder), hint="Choose another folder for -o."
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
    """Return what ``model.toml`` says of the trained `pipeline`."""
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
    """Write ``model.toml``, which marks a folder whose other files are all there.

    Raises
    ------
    OutputError
        When it cannot be written.
    """
    data: dict[str, Any] = converter.unstructure(record)
    data["experiment"] = record.experiment.to_dict()
    write_text(folder / RECORD, tomli_w.dumps(data))


def _save_classifier(classifier: Classifier, target: Path) -> None:
    """Let `classifier` write into a new folder, which then takes the final name in one step."""
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
    """Return what a model folder says of itself.

    Raises
    ------
    ModelError
        When there is no whole model, or the record is damaged or of another version.
    """
    path = folder / RECORD
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ModelError(
            "is no model folder: model.toml is missing",
            where=str(folder),
            hint="A training that was cut short has none yet; run the same command again.",
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ModelError(f"cannot be read: {error}", where=str(path)) from error
    if data.get("format") != FORMAT:
        raise ModelError(
            f"is of format {data.get('format')!r}; this version reads {FORMAT}", where=str(path)
        )
    try:
        return structure(data, ModelRecord, str(path))
    except ExperimentError as error:
        raise ModelError(error.what, where=error.where, hint=error.hint) from error


def load_model(folder: Path, *, baselines: bool = True) -> Model:
    """Return the model in `folder`, ready to predict; without `baselines`, only the classifier.

    Raises
    ------
    ModelError
        When the folder is not whole, damaged, or does not fit its own record.
    PluginError
        When a component it names is not installed.
    """
    record = read_record(folder)
    # What the record says of its components stands above the experiment: `convert` changes it.
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
            f"the classifier knows the classes {pipeline.classifier.classes.tolist()}, "
            f"model.toml says {list(record.classes)}",
            where=str(folder),
        )
    return Model(pipeline, record)

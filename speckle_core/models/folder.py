"""A trained model as a folder: a TOML record of the components, and files of weights.

``model.toml`` names the components and their options; the architecture is rebuilt from those and
only weights are loaded, so no file can run code. ``model.toml`` is written last: a folder that has
it is complete.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from speckle_core._version import __version__
from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.roles import Classifier
from speckle_core.errors import ExperimentError, ModelError, OutputError, SpeckleError
from speckle_core.experiment.experiment import Experiment
from speckle_core.experiment.pipeline import Pipeline
from speckle_core.experiment.provenance import versions
from speckle_core.experiment.schema import Choice, converter, structure
from speckle_core.experiment.sections import Grid
from speckle_core.files import make_folder, replaced_folder, sweep
from speckle_core.models.confidence import FILE as CONFIDENCE
from speckle_core.models.novelty import FILE as FAMILIAR
from speckle_core.models.shipped import suggestion
from speckle_core.notes import digests, find_damage, read_toml, write_toml

FORMAT = 1
RECORD = "model.toml"
HISTORY = "history.csv"
#: Of a model of a value; see `speckle_core.models.values`.
INTERVALS = "intervals.json"
#: What a model consists of, beside its record.
PARTS = ("classifier", "baselines", HISTORY, FAMILIAR, CONFIDENCE, INTERVALS)
_DAMAGED = (
    "Copy the folder again, or remove model.toml and train again with the same command; "
    "in a run, use 'speckle verify --repair'."
)


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
    files : dict
        SHA-256 of every file of the model by its path in the folder; empty in a model of version
        0.1.0.
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
    files: dict[str, str] = attrs.field(factory=dict)
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
        _save_classifier(baseline, make_folder(folder / "baselines", within=folder) / name)
    return Model(pipeline, write_record(record_of(pipeline, experiment), folder))


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


def write_record(record: ModelRecord, folder: Path) -> ModelRecord:
    """Write ``model.toml``, which marks a folder whose other files are all there; return it.

    Raises
    ------
    OutputError
        When it cannot be written.
    """
    there = [part for part in PARTS if os.path.lexists(folder / part)]
    record = attrs.evolve(record, files=digests(folder, there))
    data: dict[str, Any] = converter.unstructure(record)
    data["experiment"] = record.experiment.to_dict()
    write_toml(folder / RECORD, data)
    return record


def _save_classifier(classifier: Classifier, target: Path) -> None:
    """Let `classifier` write into a new folder, which then takes the final name in one step."""
    with replaced_folder(target) as folder:
        classifier.save(folder)


def read_record(folder: Path) -> ModelRecord:
    """Read the record of a model folder.

    Raises
    ------
    ModelError
        When the folder is not a complete model, or the record is damaged or of another version.
    """
    path = folder / RECORD
    try:
        data = read_toml(path)
    except FileNotFoundError:
        if folder.exists():
            cause = "is not a model folder: model.toml is missing"
            advice = "An interrupted training has none yet; run the same command again."
        else:
            cause = "is neither a folder nor a model that comes with the package"
            advice = "'speckle models list' shows those that come with it."
        raise ModelError(cause, where=str(folder), hint=suggestion(str(folder)) or advice) from None
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot be read: {error}", where=str(path)) from error
    if data.get("format") != FORMAT:
        raise ModelError(
            f"has format {data.get('format')!r}; this version reads {FORMAT}",
            where=str(path),
            hint=_with_writer(None, data.get("versions")),
        )
    try:
        return structure(data, ModelRecord, str(path))
    except ExperimentError as error:
        hint = _with_writer(error.hint, data.get("versions"))
        raise ModelError(error.what, where=error.where, hint=hint) from error


def _with_writer(hint: str | None, made_with: Any) -> str | None:
    """Return `hint` and, if another version wrote the model, a sentence that says which."""
    wrote = made_with.get("speckle-core") if isinstance(made_with, dict) else None
    if not isinstance(wrote, str) or wrote == __version__:
        return hint
    said = f"It was written by speckle-core {wrote[:40]}; this is {__version__}."
    return f"{hint} {said}" if hint else said


def read_whole(folder: Path) -> ModelRecord:
    """Return what a model folder says of itself, once its files have the SHA-256 that it lists.

    Raises
    ------
    ModelError
        As `read_record`, and for a file that is missing or damaged.
    """
    record = read_record(folder)
    for name, what in find_damage(folder, record.files).items():
        raise ModelError(what, where=str(folder / name), hint=_DAMAGED)
    return record


def load_model(folder: Path, *, baselines: bool = True) -> Model:
    """Load the model in `folder`; without `baselines`, only its classifier.

    Raises
    ------
    ModelError
        When the folder is incomplete, damaged, or does not match its own record.
    PluginError
        When one of its components is not installed.
    """
    record = read_whole(folder)
    # What the record says of its components stands above the experiment: `convert` changes it.
    reading = attrs.evolve(
        record.experiment,
        grid=Grid(**attrs.asdict(record.grid)),
        prepare=record.prepare,
        classifier=record.classifier,
        baselines=record.baselines,
    )
    parts = ("prepare", "classifier", *(("baselines",) if baselines else ()))
    try:
        pipeline = reading.build(only=parts, where=f"{folder / RECORD}: ")
    except SpeckleError as error:
        error.hint = _with_writer(error.hint, record.versions)
        raise
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

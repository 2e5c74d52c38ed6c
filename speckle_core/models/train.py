"""From a data set and an experiment to a model folder, and on from where a killed one stopped.

The classifier keeps its own state; this module decides which patterns it sees, and what lies in the
folder until ``model.toml`` marks it whole.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from speckle_core.contracts.patterns import PatternSet
from speckle_core.contracts.progress import Progress
from speckle_core.contracts.roles import Classifier, Epoch, SupportsCheckpoints
from speckle_core.data.dataset import Dataset
from speckle_core.errors import DataError, ExperimentError, ModelError, OutputError
from speckle_core.experiment.experiment import READING, Experiment
from speckle_core.experiment.schema import differences
from speckle_core.files import empty, make_folder, sweep, write_text
from speckle_core.models.folder import RECORD, Model, load_model, record_of, save_model
from speckle_core.models.novelty import Familiar
from speckle_core.models.tensorboard import FOLDER as EVENTS
from speckle_core.models.tensorboard import EventFile, require_tensorboard
from speckle_core.models.torchrun import leads

HISTORY = "history.csv"
_BEGUN = "training.json"
_CHECKPOINT = "checkpoint"


def train(
    experiment: Experiment,
    dataset: Dataset,
    folder: Path,
    progress: Progress | None = None,
    *,
    tensorboard: bool = False,
) -> Model:
    """Train the classifier and baselines of `experiment` on its part of `dataset`, into `folder`.

    A folder where the same training was cut short is gone on with; one where it finished is read.
    With `tensorboard`, event files tell of each epoch in a folder of that name. Under torchrun
    every process calls this alike; those that do not lead have no baselines and write nothing.

    Raises
    ------
    DataError
        When the data set was made by another recipe.
    OutputError
        When the folder holds something else.
    MissingDependencyError
        When event files are asked for and TensorBoard is not installed.
    """
    progress = progress or Progress()
    if tensorboard:
        require_tensorboard()
    check_recipe(experiment, dataset)
    resolved = experiment.resolved()
    leading = leads()
    if leading:
        _claim(folder, resolved)
    if (folder / RECORD).exists():
        return load_model(folder)

    pipeline = experiment.build(only=READING)
    whole = dataset.patterns(steps=pipeline.prepare)
    parts = experiment.split.indices(dataset.labels, experiment.seed)
    train_set, valid_set = whole.subset(parts["train"]), whole.subset(parts["valid"])

    if not leading:
        pipeline.baselines = {}
    fit_baselines(pipeline.baselines, train_set, valid_set, experiment.seed, progress)

    if isinstance(pipeline.classifier, SupportsCheckpoints):
        pipeline.classifier.checkpoint_in(folder / _CHECKPOINT)
    earlier = read_history(folder) if (folder / HISTORY).exists() else []
    patterns = len(train_set) + len(valid_set)
    progress.start(f"train {experiment.classifier.key}", patterns, epochs=True)
    new: list[Epoch] = []
    events = EventFile(folder / EVENTS) if tensorboard and leading else None

    def on_epoch(epoch: Epoch) -> None:
        new.append(epoch)
        if leading:
            _write_history(folder, [e for e in earlier if e.number < new[0].number] + new)
        if events is not None:
            events.write(epoch)
        progress.epoch(epoch)

    try:
        history = pipeline.classifier.fit(
            train_set.with_progress(progress.advance),
            valid_set.with_progress(progress.advance),
            seed=experiment.seed,
            on_epoch=on_epoch,
        )
    finally:
        if events is not None:
            events.close()
    progress.finish()
    if not leading:
        return Model(pipeline, record_of(pipeline, experiment))
    _write_history(folder, history)
    Familiar.of(train_set).save(folder)
    return save_model(pipeline, experiment, folder)


def fit_baselines(
    baselines: Mapping[str, Classifier],
    train_set: PatternSet,
    valid_set: PatternSet,
    seed: int,
    progress: Progress,
) -> None:
    """Fit each of `baselines` on prepared patterns."""
    for name, baseline in baselines.items():
        progress.start(f"fit {name}", len(train_set))
        baseline.fit(train_set.with_progress(progress.advance), valid_set, seed=seed)
        progress.finish()


def check_recipe(experiment: Experiment, dataset: Dataset) -> None:
    """Raise `DataError` when `dataset` was made by another recipe than `experiment` has."""
    ours, theirs = experiment.data_recipe(), dataset.experiment.data_recipe()
    if ours != theirs:
        keys = ", ".join(differences(ours, theirs))
        raise DataError(
            f"was made by another experiment; they differ in {keys}",
            where=str(dataset.folder),
            hint="Train with the experiment that made it, or generate this one's own data.",
        )


def _claim(folder: Path, experiment: Experiment) -> None:
    """Mark `folder` as this training's, or refuse when it is something else's."""
    mark = folder / _BEGUN
    if mark.is_file():
        if found := experiment.departures(_claimed_by(mark)):
            raise OutputError(
                f"holds a training of another experiment; they differ in {', '.join(found)}",
                where=str(folder),
                hint="Choose another folder for -o.",
            )
    elif not empty(folder):
        raise OutputError(
            "is not empty and holds no training of ours",
            where=str(folder),
            hint="Choose another folder for -o.",
        )
    else:
        sweep(make_folder(folder))
        write_text(mark, json.dumps({"experiment": experiment.to_dict()}, indent=2) + "\n")


def _claimed_by(mark: Path) -> Experiment:
    try:
        return Experiment.from_dict(json.loads(mark.read_text("utf-8"))["experiment"], str(mark))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ExperimentError) as error:
        raise OutputError(
            f"does not say which training lies beside it: {error}",
            where=str(mark),
            hint="Choose another folder for -o.",
        ) from error


def _write_history(folder: Path, history: list[Epoch]) -> None:
    text = io.StringIO()
    fields = [field.name for field in attrs.fields(Epoch)]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(fields)
    writer.writerows([getattr(epoch, name) for name in fields] for epoch in history)
    write_text(folder / HISTORY, text.getvalue())


def read_history(folder: Path) -> list[Epoch]:
    """Return the epochs recorded in a model folder.

    Raises
    ------
    ModelError
        When the file is missing or no history.
    """
    path = folder / HISTORY
    try:
        rows = csv.DictReader(io.StringIO(path.read_text("utf-8")))
        return [Epoch(**{k: _read_as(k)(v) for k, v in row.items()}) for row in rows]
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(f"is no training history: {error}", where=str(path)) from error


def _read_as(field: str) -> Any:
    return int if field in ("number", "of") else float

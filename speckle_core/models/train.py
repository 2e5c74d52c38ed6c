"""Train a model folder from a data set and an experiment, or resume an interrupted training.

The classifier stores its own checkpoint; this module selects the patterns and manages the folder
until ``model.toml`` marks it as complete.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import attrs

from speckle_core.contracts.capabilities import SupportsCheckpoints, SupportsWarmStart
from speckle_core.contracts.patterns import PatternSet
from speckle_core.contracts.progress import Progress
from speckle_core.contracts.roles import Classifier, Epoch
from speckle_core.data.dataset import Dataset
from speckle_core.errors import DataError, ModelError, PluginError
from speckle_core.experiment.components import READING, SIMULATION
from speckle_core.experiment.experiment import Experiment
from speckle_core.experiment.pipeline import Pipeline
from speckle_core.experiment.schema import differences, reading_keys
from speckle_core.files import check_inside, make_folder, sweep
from speckle_core.locks import lock_folder, remove_stale_lock
from speckle_core.models import confidence, noise, values
from speckle_core.models.folder import (
    RECORD,
    Model,
    load_model,
    record_of,
    save_model,
)
from speckle_core.models.history import read_history, write_history
from speckle_core.models.novelty import TrainingProfiles
from speckle_core.models.started import is_ours, mark_started, origin_of
from speckle_core.models.tensorboard import FOLDER as EVENTS
from speckle_core.models.tensorboard import EventFile, require_tensorboard
from speckle_core.models.torchrun import is_main_process

_CHECKPOINT = "checkpoint"


def train(
    experiment: Experiment,
    dataset: Dataset,
    folder: Path,
    progress: Progress | None = None,
    *,
    tensorboard: bool = False,
    start: Path | None = None,
    limits: bool = True,
) -> Model:
    """Train the classifier and baselines of `experiment` on `dataset`; write the model to `folder`.

    An interrupted training in `folder` is resumed; a finished one is loaded. With `tensorboard`,
    event files are written to the folder ``tensorboard``. Under torchrun every process calls this
    function; only the main process fits the baselines and writes files. With `start`, the folder of
    another model, the classifier starts from what that one learned, which is recorded. Without
    `limits` it is not measured how far from the training data, and how sure, an answer is: of no
    use to a model that is only to read one test part.

    Raises
    ------
    DataError
        When the data set was made from another recipe.
    OutputError
        When the folder contains something else.
    MissingDependencyError
        When `tensorboard` is set and TensorBoard is not installed.
    """
    progress = progress or Progress()
    if tensorboard:
        require_tensorboard()
    experiment = experiment.on_data_of(dataset.experiment)
    check_recipe(experiment, dataset)
    is_main = is_main_process()
    resolved = experiment.resolved()
    origin = None if start is None else origin_of(start)
    if is_main:
        is_ours(folder, resolved, origin)
    if (folder / RECORD).exists():
        if is_main:
            remove_stale_lock(folder)
        return load_model(folder)
    work = partial(_train, experiment, dataset, folder, progress, start=start, limits=limits)
    if not is_main:
        return work(tensorboard=False, is_main=False)
    with lock_folder(make_folder(folder), "train"):
        if not is_ours(folder, resolved, origin):
            mark_started(folder, resolved, origin)
        sweep(folder)
        return work(tensorboard=tensorboard, is_main=True)


def _train(
    experiment: Experiment,
    dataset: Dataset,
    folder: Path,
    progress: Progress,
    *,
    tensorboard: bool,
    is_main: bool,
    start: Path | None,
    limits: bool,
) -> Model:
    """Train in `folder`, which is this training's, on from the last epoch that is there."""
    pipeline = experiment.build(only=READING + (SIMULATION if experiment.fresh else ()))
    if start is not None:
        if not isinstance(pipeline.classifier, SupportsWarmStart):
            raise PluginError(
                f"{experiment.classifier.name} cannot start from what another model learned",
                where="--from",
            )
        pipeline.classifier.start_from(start / "classifier")
    target = experiment.target
    if target is not None:
        for name, learner in _learners(experiment, pipeline).items():
            values.require_values(name, learner)
    whole = values.with_target(dataset.patterns(steps=pipeline.prepare), dataset, target)
    parts = experiment.parts(dataset.labels)
    train_set, valid_set = whole.subset(parts["train"]), whole.subset(parts["valid"])
    fresh = experiment.fresh_patterns(pipeline) if experiment.fresh else None
    if fresh is not None:
        train_set = fresh.patterns(pipeline.prepare)
        if target is not None:
            train_set = train_set.with_values(train_set.labels)

    if not is_main:
        pipeline.baselines = {}
    fit_baselines(pipeline.baselines, train_set, valid_set, experiment.seed, progress)

    if isinstance(pipeline.classifier, SupportsCheckpoints):
        check_inside(folder / _CHECKPOINT, folder)
        pipeline.classifier.checkpoint_in(folder / _CHECKPOINT)
    earlier: list[Epoch] = []
    with contextlib.suppress(ModelError):  # not there yet, or damaged and written anew
        earlier = read_history(folder)
    patterns = len(train_set) + len(valid_set)
    progress.score = "accuracy" if target is None else "R²"
    progress.start(f"train {experiment.classifier.key}", patterns, epochs=True)
    new: list[Epoch] = []
    check_inside(folder / EVENTS, folder)
    events = EventFile(folder / EVENTS) if tensorboard else None

    def on_epoch(epoch: Epoch) -> None:
        new.append(epoch)
        if is_main:
            write_history(folder, [e for e in earlier if e.number < new[0].number] + new)
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
    note = _nothing_learned(history, None if target else len(whole.classes))
    if fresh is not None and new and not fresh.redrawn:
        note = note or f"fitted to the {len(train_set)} patterns of one epoch; it asks for no more"
    progress.finish(note)
    if not is_main:
        return Model(pipeline, record_of(pipeline, experiment))
    write_history(folder, history)
    if target is not None:
        TrainingProfiles.of(train_set).save(folder)
        learners = _learners(experiment, pipeline)
        intervals = values.learn_intervals(
            learners, train_set, valid_set, target.interval, progress
        )
        values.save_intervals(intervals, folder)
    elif limits:
        _save_limits(
            pipeline.classifier, train_set, valid_set, experiment.classifier.key, folder, progress
        )
    return save_model(pipeline, experiment, folder)


def _save_limits(
    classifier: Classifier,
    train_set: PatternSet,
    valid_set: PatternSet,
    name: str,
    folder: Path,
    progress: Progress,
) -> None:
    """Measure what tells a far pattern and a doubtful answer, and write it to the model folder."""
    spoilt = noise.limit(classifier, valid_set)
    attrs.evolve(TrainingProfiles.of(train_set), noise=spoilt).save(folder)
    learned = confidence.learn(classifier, valid_set, name, progress)
    if learned is not None:
        confidence.save(learned, folder)


def _learners(experiment: Experiment, pipeline: Pipeline) -> dict[str, Classifier]:
    """Return the classifier, first, and the baselines by `reading_keys`."""
    keys = reading_keys(experiment.classifier.key, pipeline.baselines)
    return dict(zip(keys, (pipeline.classifier, *pipeline.baselines.values()), strict=True))


def _nothing_learned(history: list[Epoch], classes: int | None) -> str:
    """Return a remark if no epoch was better than guessing, whose loss is ln(classes).

    Where a value is learned there are no classes, and guessing explains none of its variance.
    """
    if classes is None:
        explained = [
            e.accuracy if math.isnan(e.valid_accuracy) else e.valid_accuracy for e in history
        ]
        if max(explained, default=math.nan) > 0.05:
            return ""
        return "nothing was learned: no epoch explains a twentieth of the variance"
    scores = [
        (e.loss, e.accuracy) if math.isnan(e.valid_loss) else (e.valid_loss, e.valid_accuracy)
        for e in history
    ]
    lowest = min((loss for loss, _ in scores), default=math.nan)
    guessing = math.log(classes)
    # A rule that is sure of its few errors has a high loss, and has learned all the same.
    if not lowest >= guessing or max(right for _, right in scores) > 1.5 / classes:
        return ""
    return (
        f"nothing was learned: the lowest loss is {lowest:.3g}, that of guessing {guessing:.3g}; "
        "train longer, or lower the learning rate"
    )


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
    """Raise `DataError` unless `dataset` was made from the recipe of `experiment`."""
    ours, theirs = experiment.data_recipe(), dataset.experiment.data_recipe()
    if ours != theirs:
        keys = ", ".join(differences(ours, theirs))
        raise DataError(
            f"was made from another experiment; they differ in {keys}",
            where=str(dataset.folder),
            hint="Train with the experiment that made it, or generate the data of this one.",
        )

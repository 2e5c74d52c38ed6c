"""Evaluate a model on a data set, and select the patterns to evaluate it on.

Patterns that a model was trained on are never test patterns for it; this is decided here and
nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from speckle_core.analysis.evaluation import Evaluation
from speckle_core.analysis.value_evaluation import ValueEvaluation
from speckle_core.analysis.verdict import evaluate, sample_of, verdict
from speckle_core.contracts.arrays import IntArray
from speckle_core.contracts.patterns import PatternSet
from speckle_core.contracts.progress import Progress
from speckle_core.contracts.roles import Classifier
from speckle_core.data.dataset import Dataset
from speckle_core.errors import DataError, PluginError
from speckle_core.experiment.schema import reading_keys
from speckle_core.experiment.split import PARTS
from speckle_core.models.folder import Model, fingerprint
from speckle_core.models.values import evaluate_values, load_intervals, with_target
from speckle_core.plugins.manager import plugin_manager

#: Told the name of a classifier that cannot read the patterns, and why.
OnRefusal = Callable[[str, DataError], object]


def check_grid(model: Model, dataset: Dataset) -> None:
    """Raise `DataError` when the model cannot read the grid of `dataset`.

    Layout and step must match; the size may differ, as in section 3.1 of the paper, where a
    network trained at 257 × 257 reads 513 × 513.
    """
    ours, theirs = model.record.grid, dataset.grid
    if ours.layout != theirs.layout or abs(ours.step - theirs.step) > 1e-9 * ours.step:
        raise DataError(
            f"its grid is {theirs.layout} with step {theirs.step:.6g}, but the model's is "
            f"{ours.layout} with step {ours.step:.6g}",
            where=str(dataset.folder),
            hint="Generate the data on the model's grid; only the size may differ."
            if dataset.experiment.imported is None
            else "Import the frames again with what is known of the detector (such as --step), "
            "and with --like an experiment on the model's grid.",
        )


def part_of(model: Model, dataset: Dataset, part: str) -> PatternSet:
    """Return the patterns of one part of `dataset`, prepared as the model expects.

    For the data that the model was trained on, the parts are those of the training; for any other
    set they are that set's own. ``all`` is every pattern.

    Raises
    ------
    DataError
        For an unknown part or one without patterns, or a grid that the model cannot read.
    """
    check_grid(model, dataset)
    chosen = indices_of(model, dataset, part)
    if not len(chosen):
        raise DataError(
            f"its split has no {part} patterns",
            where=str(dataset.folder),
            hint="Choose others with --split: train, valid, test or all.",
        )
    target = model.record.experiment.target
    whole = with_target(dataset.patterns(steps=model.pipeline.prepare), dataset, target)
    return whole if part == "all" else whole.subset(chosen)


def indices_of(model: Model, dataset: Dataset, part: str) -> IntArray:
    """Return the indices of the patterns in one part of `dataset`; see `part_of`.

    Raises
    ------
    DataError
        For an unknown part.
    """
    if part == "all":
        return np.arange(len(dataset))
    if part not in PARTS:
        raise DataError(
            f"unknown part {part!r}", where="--split", hint=f"Use {', '.join(PARTS)} or all."
        )
    same = fingerprint(dataset.experiment.data_recipe()) == model.record.trained_on
    if part == "train" and same and model.record.experiment.fresh:
        raise DataError(
            "its training patterns were simulated as it trained, and are not stored",
            where="split",
            hint="Use valid, test or all.",
        )
    source = model.record.experiment if same else dataset.experiment
    return source.parts(dataset.labels)[part]


def assess(
    model: Model,
    patterns: PatternSet,
    progress: Progress | None = None,
    on_refusal: OnRefusal | None = None,
) -> dict[str, Evaluation]:
    """Return the evaluation of the classifier, first, and of each baseline, by `reading_keys`.

    Parameters
    ----------
    model, patterns
        A trained model and what it is to read, prepared.
    progress : Progress, optional
        Told of every classifier.
    on_refusal : callable, optional
        Given the name of a classifier that cannot read these patterns, and its error; the others
        are evaluated all the same. Without it the first error is raised.

    Raises
    ------
    DataError
        When a classifier cannot read the patterns, and its name with it.
    """
    return evaluate_all(_named(model), patterns, progress or Progress(), on_refusal)


def assess_values(
    model: Model, folder: Path, patterns: PatternSet, progress: Progress | None = None
) -> dict[str, ValueEvaluation]:
    """Return the same for a model of a value, whose intervals lie in its `folder`."""
    target = model.record.experiment.target
    assert target is not None
    return evaluate_values(
        _named(model), load_intervals(folder), target, patterns, progress or Progress()
    )


def _named(model: Model) -> dict[str, Classifier]:
    baselines = model.pipeline.baselines
    keys = reading_keys(model.record.classifier.key, baselines)
    return dict(zip(keys, (model.pipeline.classifier, *baselines.values()), strict=True))


def evaluate_all(
    classifiers: Mapping[str, Classifier],
    patterns: PatternSet,
    progress: Progress,
    on_refusal: OnRefusal | None = None,
) -> dict[str, Evaluation]:
    """Return the evaluation of each of these fitted classifiers, by name; see `assess`."""
    found = {}
    for name, classifier in classifiers.items():
        places = sample_of(classifier, len(patterns))
        progress.start(f"evaluate {name}", len(patterns if places is None else places))
        try:
            found[name] = evaluate(classifier, patterns.with_progress(progress.advance))
        except DataError as error:
            where = f"{name}, {error.where}" if error.where else name
            refusal = type(error)(error.what, where=where, hint=error.hint)
            if on_refusal is None:
                raise refusal from error
            on_refusal(name, refusal)
        progress.finish()
    return found


def verdict_of(evaluations: Mapping[str, Evaluation]) -> str:
    """Return a sentence that compares the first evaluation with the others.

    Raises
    ------
    DataError
        When they are not of the same patterns.
    """
    (name, first), *others = evaluations.items()
    baselines = dict(others)
    phrases = {
        key: words for key in baselines if (words := summary_phrase(key.removesuffix("-baseline")))
    }
    solvers = [key for key in baselines if _solves(key.removesuffix("-baseline"))]
    return verdict(first, baselines, summaries=phrases, name=name, solvers=solvers)


def _solves(name: str) -> bool:
    """Return whether the classifier of this name is based on a solver."""
    try:
        return hasattr(plugin_manager().factory("classifier", name), "solver")
    except PluginError:
        return False


def summary_phrase(name: str) -> str:
    """Return a classifier's summary so that it fits into the middle of a sentence."""
    try:
        text = plugin_manager().find("classifier", name).component.summary.rstrip(". ")
    except PluginError:
        return ""
    # Keep the capitals of an acronym.
    return text[:1].lower() + text[1:] if text[1:2].islower() or text[1:2] == " " else text

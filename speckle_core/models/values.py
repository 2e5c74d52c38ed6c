"""Models of a value: their intervals, learned from validation patterns and kept in the folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core.analysis.conformal import Conformal, patterns_needed
from speckle_core.analysis.value_evaluation import ValueEvaluation
from speckle_core.contracts.arrays import FloatArray
from speckle_core.contracts.capabilities import SupportsValues
from speckle_core.contracts.patterns import PatternSet
from speckle_core.contracts.progress import Progress
from speckle_core.contracts.roles import Classifier
from speckle_core.data.dataset import Dataset
from speckle_core.errors import DataError, ModelError, PluginError
from speckle_core.experiment.sections import Target
from speckle_core.models.folder import INTERVALS
from speckle_core.notes import read_json, write_json

_LARGEST = 10**6


@attrs.frozen(eq=False)
class Intervals:
    """What was learned of the values of a model.

    Parameters
    ----------
    low, high : float
        Range of the training values.
    learned : dict of str to Conformal
        What the validation patterns told of each classifier.
    """

    low: float
    high: float
    learned: dict[str, Conformal]

    @property
    def span(self) -> tuple[float, float]:
        """The range of the training values."""
        return self.low, self.high

    def of(self, name: str) -> Conformal:
        """Return what was learned of a classifier; without any of it intervals are infinite."""
        return self.learned.get(name, Conformal(np.zeros(0)))


def with_target(patterns: PatternSet, dataset: Dataset, target: Target | None) -> PatternSet:
    """Return all patterns of `dataset` with the value that is to be learned, if there is one.

    Raises
    ------
    DataError
        When it cannot be told of the stored bodies.
    """
    return patterns if target is None else patterns.with_values(dataset.values(target.quantity))


def require_values(name: str, classifier: Classifier) -> SupportsValues:
    """Return the classifier, which must be able to learn a value.

    Raises
    ------
    PluginError
        When it is not.
    """
    if not isinstance(classifier, SupportsValues):
        raise PluginError(
            f"{name} can learn the number of particles only as a class",
            where="target",
            hint="Leave it out, or leave out [target]; networks and rules on features can.",
        )
    return classifier


def read_values(classifier: SupportsValues, patterns: FloatArray) -> NDArray[np.float64]:
    """Return value and spread of prepared patterns, (B, 2).

    Raises
    ------
    PluginError
        When the classifier returns something else.
    """
    found = np.asarray(classifier.predict_values(patterns), dtype=np.float64)
    if (
        found.shape != (len(patterns), 2)
        or not np.isfinite(found).all()
        or (found[:, 1] <= 0).any()
    ):
        raise PluginError(
            f"predict_values must return finite values and positive spreads, ({len(patterns)}, 2)",
            where=type(classifier).__name__,
        )
    return found


def _read_all(classifier: SupportsValues, patterns: PatternSet) -> NDArray[np.float64]:
    parts = [read_values(classifier, some) for some, _ in patterns.batches(64)]
    return np.concatenate([np.zeros((0, 2)), *parts])


def learn_intervals(
    classifiers: Mapping[str, Classifier],
    train: PatternSet,
    valid: PatternSet,
    coverage: float,
    progress: Progress,
) -> Intervals:
    """Return what the validation patterns tell of the values of each of these classifiers.

    If they are too few for intervals of the stated `coverage`, `progress` says so.
    """
    assert train.values is not None
    found, needed = {}, patterns_needed(coverage)
    note = ""
    if len(valid) < needed:
        note = (
            f"{len(valid)} validation patterns are too few for intervals of {100 * coverage:g} %, "
            f"which take {needed}"
        )
    for name, classifier in classifiers.items():
        progress.start(f"intervals of {name}", len(valid))
        watched = valid.with_progress(progress.advance)
        read = _read_all(require_values(name, classifier), watched)
        found[name] = Conformal.fit(read, np.asarray(valid.values))
        progress.finish(note)
    return Intervals(float(train.values.min()), float(train.values.max()), found)


def save_intervals(intervals: Intervals, folder: Path) -> None:
    """Write them to a model folder.

    Raises
    ------
    OutputError
        When the file cannot be written.
    """
    scores = {name: one.scores.tolist() for name, one in intervals.learned.items()}
    write_json(folder / INTERVALS, {"range": [intervals.low, intervals.high], "scores": scores})


def load_intervals(folder: Path) -> Intervals:
    """Read them from a model folder.

    Raises
    ------
    ModelError
        When the file is missing or damaged.
    """
    path = folder / INTERVALS
    try:
        found = {}
        said = read_json(path)
        low, high = (float(end) for end in said["range"])
        if not -np.inf < low <= high < np.inf:
            raise ValueError("the range does not ascend")
        for name, given in said["scores"].items():
            scores = np.array(given, dtype=np.float64)
            whole = scores.ndim == 1 and scores.size <= _LARGEST and np.isfinite(scores).all()
            if not whole or np.any(np.diff(scores) < 0):
                raise ValueError(f"the scores of {name} do not ascend")
            found[name] = Conformal(scores)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"cannot be read: {error}", where=str(path)) from error
    return Intervals(low, high, found)


def rename_intervals(folder: Path, old: str, new: str) -> None:
    """Give what a model folder tells of the classifier `old`, if anything, to the name `new`.

    Raises
    ------
    ModelError
        When the file is damaged.
    """
    if not (folder / INTERVALS).exists():
        return
    known = load_intervals(folder)
    learned = {new if name == old else name: one for name, one in known.learned.items()}
    save_intervals(attrs.evolve(known, learned=learned), folder)


def evaluate_values(
    classifiers: Mapping[str, Classifier],
    intervals: Intervals,
    target: Target,
    patterns: PatternSet,
    progress: Progress,
) -> dict[str, ValueEvaluation]:
    """Return the evaluation of each of these fitted classifiers on prepared patterns with values.

    Raises
    ------
    DataError
        When one cannot read the patterns, and its name with it.
    """
    truth = np.asarray(patterns.values)
    found = {}
    for name, classifier in classifiers.items():
        progress.start(f"evaluate {name}", len(patterns))
        watched = patterns.with_progress(progress.advance)
        try:
            read = _read_all(require_values(name, classifier), watched)
        except DataError as error:
            where = f"{name}, {error.where}" if error.where else name
            raise type(error)(error.what, where=where, hint=error.hint) from error
        ends = intervals.of(name).intervals(read, target.interval)
        found[name] = ValueEvaluation(
            target.quantity, target.interval, patterns.labels, truth, read[:, 0], ends
        )
        progress.finish()
    return found

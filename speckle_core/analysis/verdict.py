"""Run a classifier over patterns that it has not seen, and say what its reading is worth.

`verdict` says in a sentence whether a simple rule already does what the network does, since on some
data sets it does. Nothing here knows how a classifier works or where patterns come from.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from speckle_core.analysis.evaluation import Evaluation, PerClass, check_known_labels
from speckle_core.analysis.intervals import paired_interval
from speckle_core.contracts.arrays import FloatArray
from speckle_core.contracts.patterns import PatternSet
from speckle_core.contracts.roles import Classifier
from speckle_core.errors import DataError, PluginError

__all__ = ["SOLVED", "Evaluation", "PerClass", "evaluate", "spell", "verdict"]

#: A baseline that reads this share of the test patterns has solved the task.
SOLVED = 0.99


def evaluate(classifier: Classifier, patterns: PatternSet, *, batch_size: int = 64) -> Evaluation:
    """Return how a fitted classifier reads prepared patterns, a batch at a time.

    The classes are those of the classifier: it may know more than occur in `patterns`, and
    predicting one of these is an error like any other, but it may never know fewer.

    Raises
    ------
    DataError
        For an empty set, or labels that the classifier does not know.
    PluginError
        When the classifier returns something else than probabilities.
    """
    classes = np.asarray(classifier.classes, dtype=np.int64)
    check_known_labels(patterns.labels, classes, "labels")
    parts = [np.zeros((0, len(classes)))]
    for batch, _ in patterns.batches(batch_size):
        parts.append(_checked(classifier.predict_proba(batch), (len(batch), len(classes))))
    probabilities = np.concatenate(parts)
    return Evaluation(
        classes=classes,
        labels=patterns.labels,
        predicted=classes[np.argmax(probabilities, axis=1)],
        probabilities=probabilities,
    )


def _checked(probabilities: FloatArray, shape: tuple[int, int]) -> NDArray[np.float64]:
    given = np.asarray(probabilities, dtype=np.float64)
    sums = given.sum(axis=-1)
    if given.shape != shape or not np.allclose(sums, 1.0, atol=1e-3) or np.any(given < 0):
        raise PluginError(
            f"predict_proba should return non-negative rows that sum to 1, {shape}, "
            f"but gave {given.shape} with sums {sums.min():.3g}…{sums.max():.3g}",
            where="classifier",
        )
    return given


def verdict(
    network: Evaluation,
    baselines: Mapping[str, Evaluation],
    *,
    summaries: Mapping[str, str] | None = None,
) -> str:
    """Say in plain words whether the task needs a network, or what the network gains.

    The network is held against the baseline of the highest accuracy. A baseline has solved the task
    when it reads at least `SOLVED` of the patterns. Otherwise the paired 95 % interval of the
    difference (`paired_interval`) decides: above 0, below 0, or not to be told apart.

    Parameters
    ----------
    network : Evaluation
        The network's reading.
    baselines : mapping of str to Evaluation
        What each baseline reads of the same patterns in the same order.
    summaries : mapping of str to str, optional
        What a baseline does, as a phrase, such as "a linear rule on the azimuthal mean profile".

    Raises
    ------
    DataError
        When a baseline was evaluated on other patterns.
    """
    for name, other in baselines.items():
        if not np.array_equal(other.labels, network.labels):
            raise DataError("it was evaluated on other patterns than the network", where=name)
    if not baselines:
        return "No baseline was run: nothing says whether this task needs a network."
    name = max(baselines, key=lambda key: baselines[key].accuracy)
    best = baselines[name]
    summary = (summaries or {}).get(name)
    named = f"{name}, {summary}," if summary else name
    right, rival = network.errors == 0, best.errors == 0
    cells = (right & rival, right & ~rival, ~right & rival, ~right & ~rival)
    low, high = paired_interval(*(int(np.sum(cell)) for cell in cells))
    gain = network.accuracy - best.accuracy
    ours, theirs = spell(network), spell(best)
    if best.accuracy >= SOLVED:
        more = f", {gain:.3f} [{low:.3f}, {high:.3f}] more" if low > 0 else ""
        return (
            f"{named} reads {theirs} of the same test patterns: this task does not need a network. "
            f"The network reads {ours}{more}."
        )
    if low > 0:
        return (
            f"The network reads {ours} of the test patterns, {gain:.3f} [{low:.3f}, {high:.3f}] "
            f"more than the best baseline, {name} ({theirs})."
        )
    if high < 0:
        return (
            f"{named} reads {theirs} of the same test patterns, {-gain:.3f} [{-high:.3f}, "
            f"{-low:.3f}] more than the network ({ours}), which misses what a simple rule finds."
        )
    return (
        f"The network ({ours}) and {name} ({theirs}) cannot be told apart on these "
        f"{len(network)} test patterns: the difference is {gain:+.3f} [{low:+.3f}, {high:+.3f}]."
    )


def spell(evaluation: Evaluation) -> str:
    """Return the accuracy with its 95 % interval: ``0.950 [0.910, 0.973]``."""
    low, high = evaluation.accuracy_interval
    return f"{evaluation.accuracy:.3f} [{low:.3f}, {high:.3f}]"

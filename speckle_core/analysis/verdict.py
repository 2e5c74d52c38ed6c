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
from speckle_core.contracts.arrays import FloatArray, IntArray
from speckle_core.contracts.patterns import PatternSet
from speckle_core.contracts.powers import SupportsSample
from speckle_core.contracts.roles import Classifier
from speckle_core.errors import DataError, PluginError

__all__ = ["SOLVED", "Evaluation", "PerClass", "evaluate", "spell", "verdict"]

#: A baseline that reads this share of the test patterns has solved the task.
SOLVED = 0.99
# A classifier that takes seconds a pattern is given few at once, so that progress shows.
_FEW = 4


def sample_of(classifier: Classifier, patterns: int) -> IntArray | None:
    """Return which of so many test patterns `classifier` is asked for; None for all.

    One that has `SupportsSample` gets patterns drawn at random, the same for every classifier.
    """
    if not isinstance(classifier, SupportsSample) or classifier.sample_size >= patterns:
        return None
    drawn = np.random.default_rng(0).permutation(patterns)[: classifier.sample_size]
    return np.sort(drawn)


def evaluate(classifier: Classifier, patterns: PatternSet, *, batch_size: int = 64) -> Evaluation:
    """Return how a fitted classifier reads prepared patterns, a batch at a time.

    The classes are those of the classifier: it may know more than occur in `patterns`, and
    predicting one of these is an error like any other, but it may never know fewer. One that takes
    long is asked for a sample (`sample_of`), which the evaluation remembers.

    Raises
    ------
    DataError
        For an empty set, or labels that the classifier does not know.
    PluginError
        When the classifier returns something else than probabilities.
    """
    classes = np.asarray(classifier.classes, dtype=np.int64)
    check_known_labels(patterns.labels, classes, "labels")
    if (places := sample_of(classifier, len(patterns))) is not None:
        patterns, batch_size = patterns.subset(places), _FEW
    parts = [np.zeros((0, len(classes)))]
    for batch, _ in patterns.batches(batch_size):
        parts.append(_checked(classifier.predict_proba(batch), (len(batch), len(classes))))
    probabilities = np.concatenate(parts)
    return Evaluation(
        classes=classes,
        labels=patterns.labels,
        predicted=classes[np.argmax(probabilities, axis=1)],
        probabilities=probabilities,
        places=places,
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
    name: str = "the network",
) -> str:
    """Say in plain words whether the task needs a network, or what the network gains.

    The network is held against the baseline of the highest accuracy. A baseline has solved the task
    when it reads at least `SOLVED` of the patterns. Otherwise the paired 95 % interval of the
    difference (`paired_interval`) decides: above 0, below 0, or not to be told apart. Where one of
    the two read a sample, both are held against each other on that.

    Parameters
    ----------
    network : Evaluation
        The network's reading.
    baselines : mapping of str to Evaluation
        What each baseline reads of the same patterns in the same order, or of a sample of them.
    summaries : mapping of str to str, optional
        What a baseline does, as a phrase, such as "a linear rule on the azimuthal mean profile".
    name : str
        What to call the classifier that is held against them, which need not be a network.

    Raises
    ------
    DataError
        When a baseline was evaluated on other patterns.
    """
    pairs = {rule: _paired(network, other, rule) for rule, other in baselines.items()}
    if not baselines:
        return "No baseline was run: nothing says whether this task needs a network."
    rule = max(baselines, key=lambda key: baselines[key].accuracy)
    network, best = pairs[rule]
    same = "the same test patterns"
    if best.places is not None:
        same = f"{len(best)} of {same}, drawn at random"
    summary = (summaries or {}).get(rule)
    named = f"{rule}, {summary}," if summary else rule
    # A name of a component stays as it is spelt; words begin a sentence.
    subject = name[:1].upper() + name[1:] if " " in name else name
    right, rival = network.errors == 0, best.errors == 0
    cells = (right & rival, right & ~rival, ~right & rival, ~right & ~rival)
    low, high = paired_interval(*(int(np.sum(cell)) for cell in cells))
    gain = network.accuracy - best.accuracy
    ours, theirs = spell(network), spell(best)
    if best.accuracy >= SOLVED:
        more = f", {gain:.3f} [{low:.3f}, {high:.3f}] more" if low > 0 else ""
        return (
            f"{named} reads {theirs} of {same}: this task does not need a network. "
            f"{subject} reads {ours}{more}."
        )
    if low > 0:
        return (
            f"{subject} reads {ours} of the test patterns, {gain:.3f} [{low:.3f}, {high:.3f}] "
            f"more than the best baseline, {rule} ({theirs})."
        )
    if high < 0:
        return (
            f"{named} reads {theirs} of {same}, {-gain:.3f} [{-high:.3f}, "
            f"{-low:.3f}] more than {name} ({ours}), which misses what a simple rule finds."
        )
    return (
        f"{subject} ({ours}) and {rule} ({theirs}) cannot be told apart on these "
        f"{len(network)} test patterns: the difference is {gain:+.3f} [{low:+.3f}, {high:+.3f}]."
    )


def _paired(network: Evaluation, other: Evaluation, name: str) -> tuple[Evaluation, Evaluation]:
    """Return both on the patterns that both have read.

    Raises
    ------
    DataError
        When these are none, or not the same.
    """
    known = [e.places for e in (network, other) if e.places is not None]
    if known:
        common = known[0] if len(known) == 1 else np.intersect1d(known[0], known[1])
        network, other = network.at(common), other.at(common)
    if not np.array_equal(other.labels, network.labels):
        raise DataError("it was evaluated on other patterns than the network", where=name)
    return network, other


def spell(evaluation: Evaluation) -> str:
    """Return the accuracy with its 95 % interval: ``0.950 [0.910, 0.973]``."""
    low, high = evaluation.accuracy_interval
    return f"{evaluation.accuracy:.3f} [{low:.3f}, {high:.3f}]"

"""Evaluate a classifier on unseen patterns, and compare it with baselines.

`verdict` says in a sentence whether a baseline is as good as the network, since on some data sets
it is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from speckle_core.analysis.evaluation import Evaluation, PerClass, check_known_labels
from speckle_core.analysis.intervals import paired_interval
from speckle_core.contracts.arrays import FloatArray, IntArray
from speckle_core.contracts.capabilities import SupportsSample
from speckle_core.contracts.patterns import PatternSet
from speckle_core.contracts.roles import Classifier
from speckle_core.errors import DataError, PluginError

__all__ = ["SOLVED", "Evaluation", "PerClass", "evaluate", "spell", "verdict"]

#: A baseline with this accuracy has solved the task.
SOLVED = 0.99
# Batch size for a classifier that takes seconds per pattern, so that progress shows.
_FEW = 4


def sample_of(classifier: Classifier, patterns: int) -> IntArray | None:
    """Return the indices of the test patterns on which to evaluate `classifier`; None for all.

    A classifier with `SupportsSample` gets a random sample, the same for every classifier.
    """
    if not isinstance(classifier, SupportsSample) or classifier.sample_size >= patterns:
        return None
    drawn = np.random.default_rng(0).permutation(patterns)[: classifier.sample_size]
    return np.sort(drawn)


def evaluate(classifier: Classifier, patterns: PatternSet, *, batch_size: int = 64) -> Evaluation:
    """Evaluate a fitted classifier on prepared patterns, a batch at a time.

    The classifier must know all classes in `patterns`. It may know more, and predicting one of
    those is an error like any other. A slow classifier is evaluated on a sample (`sample_of`),
    which the evaluation records.

    Raises
    ------
    DataError
        For an empty set, or labels that the classifier does not know.
    PluginError
        When the classifier does not return probabilities.
    """
    classes = np.asarray(classifier.classes, dtype=np.int64)
    check_known_labels(patterns.labels, classes, "labels")
    if (places := sample_of(classifier, len(patterns))) is not None:
        patterns, batch_size = patterns.subset(places), _FEW
    parts = [np.zeros((0, len(classes)))]
    for batch, _ in patterns.batches(batch_size):
        parts.append(
            _check_probabilities(classifier.predict_proba(batch), (len(batch), len(classes)))
        )
    probabilities = np.concatenate(parts)
    return Evaluation(
        classes=classes,
        labels=patterns.labels,
        predicted=classes[np.argmax(probabilities, axis=1)],
        probabilities=probabilities,
        places=places,
    )


def _check_probabilities(probabilities: FloatArray, shape: tuple[int, int]) -> NDArray[np.float64]:
    given = np.asarray(probabilities, dtype=np.float64)
    sums = given.sum(axis=-1)
    if given.shape != shape or not np.allclose(sums, 1.0, atol=1e-3) or np.any(given < 0):
        raise PluginError(
            f"predict_proba must return non-negative rows that sum to 1, {shape}, "
            f"but returned {given.shape} with sums {sums.min():.3g}…{sums.max():.3g}",
            where="classifier",
        )
    return given


def verdict(
    network: Evaluation,
    baselines: Mapping[str, Evaluation],
    *,
    summaries: Mapping[str, str] | None = None,
    name: str = "the network",
    solvers: Collection[str] = (),
) -> str:
    """Return a sentence that says whether the task needs a network, and what the network gains.

    The network is compared with the baseline of the highest accuracy. If that is at least `SOLVED`,
    the baseline has solved the task. Otherwise the paired 95 % interval of the difference
    (`paired_interval`) decides: above 0, below 0, or no significant difference. If one of the two
    was evaluated on a sample, they are compared on that sample.

    Parameters
    ----------
    network : Evaluation
        Evaluation of the network.
    baselines : mapping of str to Evaluation
        Evaluations of the baselines, on the same patterns in the same order or on a sample of them.
    summaries : mapping of str to str, optional
        A phrase that describes a baseline, such as "a linear rule on the azimuthal mean profile".
    name : str
        Name of the classifier, which need not be a network.
    solvers : collection of str
        The baselines that find the bodies themselves. Beside simple rules they are not what decides
        whether a network is needed; what they read is said at the end.

    Raises
    ------
    DataError
        When a baseline was evaluated on other patterns.
    """
    pairs = {rule: _on_common_patterns(network, other, rule) for rule, other in baselines.items()}
    if not baselines:
        return "Without a baseline it is unknown whether this task needs a network."
    rules = {key: pair for key, pair in pairs.items() if key not in solvers} or pairs
    found = _compare(rules, summaries or {}, name)
    for key in (k for k in pairs if k not in rules):
        phrase = f", {summary}," if (summary := (summaries or {}).get(key)) else ""
        of = f" of {len(baselines[key])} of them" if baselines[key].places is not None else ""
        found = f"{found.removesuffix('.')}; {key}{phrase} reads {spell(baselines[key])}{of}."
    return found


def _compare(
    pairs: Mapping[str, tuple[Evaluation, Evaluation]], summaries: Mapping[str, str], name: str
) -> str:
    """Return the sentence about a network and the best of these rules, by (network, rule)."""
    rule = max(pairs, key=lambda key: pairs[key][1].accuracy)
    network, best = pairs[rule]
    same = "the same test patterns"
    if best.places is not None:
        same = f"{len(best)} of {same}, drawn at random"
    summary = summaries.get(rule)
    named = f"{rule}, {summary}," if summary else rule
    # Capitalize words, but not the name of a component.
    subject = name[:1].upper() + name[1:] if " " in name else name
    right, rival = network.errors == 0, best.errors == 0
    cells = (right & rival, right & ~rival, ~right & rival, ~right & ~rival)
    low, high = paired_interval(*(int(np.sum(cell)) for cell in cells))
    gain = network.accuracy - best.accuracy
    ours, theirs = spell(network), spell(best)
    if best.accuracy >= SOLVED:
        more = f", {gain:.3f} [{low:.3f}, {high:.3f}] more" if low > 0 else ""
        return (
            f"{named} classifies {theirs} of {same} correctly: "
            f"this task does not need a network. {subject} classifies {ours}{more}."
        )
    if low > 0:
        return (
            f"{subject} classifies {ours} of the test patterns correctly, {gain:.3f} "
            f"[{low:.3f}, {high:.3f}] more than the best baseline, "
            f"{rule}{f', {summary}' if summary else ''} ({theirs})."
        )
    if high < 0:
        return (
            f"{named} classifies {theirs} of {same} correctly, {-gain:.3f} "
            f"[{-high:.3f}, {-low:.3f}] more than {name} ({ours})."
        )
    return (
        f"{subject} ({ours}) and {rule} ({theirs}) do not differ significantly on these "
        f"{len(network)} test patterns: the difference is {gain:+.3f} [{low:+.3f}, {high:+.3f}]."
    )


def _on_common_patterns(
    network: Evaluation, other: Evaluation, name: str
) -> tuple[Evaluation, Evaluation]:
    """Return both evaluations on the patterns that they have in common.

    Raises
    ------
    DataError
        When there are none, or the patterns are not the same.
    """
    known = [e.places for e in (network, other) if e.places is not None]
    if known:
        common = known[0] if len(known) == 1 else np.intersect1d(known[0], known[1])
        network, other = network.at(common), other.at(common)
    if not np.array_equal(other.labels, network.labels):
        raise DataError("was not evaluated on the same patterns as the network", where=name)
    return network, other


def spell(evaluation: Evaluation) -> str:
    """Return the accuracy with its 95 % interval: ``0.950 [0.910, 0.973]``."""
    low, high = evaluation.accuracy_interval
    return f"{evaluation.accuracy:.3f} [{low:.3f}, {high:.3f}]"

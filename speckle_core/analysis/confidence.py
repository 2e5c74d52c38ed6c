"""What a probability is worth: temperature, rejection, and sets with a stated coverage.

All of it is learned from patterns that were not trained on, the validation part, and holds for
patterns drawn as those were.
"""

from __future__ import annotations

import math
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from speckle_core.analysis.calibration import calibration
from speckle_core.analysis.conformal import conformal_quantile
from speckle_core.analysis.evaluation import Evaluation
from speckle_core.contracts.arrays import IntArray

Array = NDArray[np.float64]

#: Stated coverages of sets, and shares of patterns that are answered, as reports give them.
COVERAGES = (0.9, 0.95, 0.99)
ANSWERED = (1.0, 0.95, 0.9, 0.8, 0.5)
#: The logarithm of the temperature lies within plus or minus this.
_WIDEST = math.log(100)


@attrs.frozen(eq=False)
class Confidence:
    """What was learned from the probabilities of `len(scores)` patterns.

    Parameters
    ----------
    temperature : float
        Divides the logarithms of probabilities; above 1 the classifier is too sure.
    scores : array, (N,)
        1 − probability of the true class of each pattern, ascending.
    """

    temperature: float
    scores: Array

    @classmethod
    def fit(cls, probabilities: ArrayLike, targets: ArrayLike) -> Confidence:
        """Return the confidence learned from probabilities (N, C) and true columns (N,).

        The temperature is the one of the lowest log loss (Guo et al. 2017,
        doi:10.48550/arXiv.1706.04599).
        """
        from scipy.optimize import minimize_scalar

        rates = np.asarray(probabilities, dtype=np.float64)
        columns = np.asarray(targets, dtype=np.int64)
        rows = np.arange(len(rates))

        def loss(logarithm: float) -> float:
            true = tempered(rates, math.exp(logarithm))[rows, columns]
            return float(-np.mean(np.log(np.maximum(true, np.finfo(np.float64).tiny))))

        found = minimize_scalar(loss, bounds=(-_WIDEST, _WIDEST), method="bounded")
        return cls(float(np.exp(found.x)), np.sort(1 - rates[rows, columns]))

    def threshold(self, coverage: float) -> float:
        """Return the largest score of a class in a set; infinite where too few were learned from.

        It is the ⌈(N + 1) · coverage⌉-th smallest score (Vovk, Gammerman and Shafer 2005; Sadinle,
        Lei and Wasserman 2019, doi:10.1080/01621459.2017.1395341).
        """
        return conformal_quantile(self.scores, coverage)

    def sets(self, probabilities: ArrayLike, coverage: float) -> NDArray[np.bool_]:
        """Return which classes are in the set of each pattern, (N, C).

        The true class is in it for at least the share `coverage` of patterns that are drawn as
        those that this was learned from, on average over both draws.
        """
        found: NDArray[np.bool_] = 1 - np.asarray(probabilities) <= self.threshold(coverage)
        return found


def tempered(probabilities: ArrayLike, temperature: float) -> Array:
    """Return probabilities (N, C) whose logarithms are divided by a temperature."""
    rates = np.asarray(probabilities, dtype=np.float64)
    logs = np.log(np.maximum(rates, np.finfo(np.float64).tiny)) / temperature
    odds = np.exp(logs - logs.max(axis=1, keepdims=True))
    found: Array = odds / odds.sum(axis=1, keepdims=True)
    return found


def accuracy_by_share(evaluation: Evaluation) -> Array | None:
    """Return the accuracy on the surest 1, 2, … N patterns, (N,); None without probabilities.

    Of two patterns of the same probability the earlier one comes first.
    """
    if evaluation.probabilities is None:
        return None
    order: IntArray = np.argsort(-evaluation.probabilities.max(axis=1), kind="stable")
    right = (evaluation.errors == 0)[order]
    found: Array = np.cumsum(right) / np.arange(1, len(right) + 1)
    return found


def confidence_of(evaluation: Evaluation, learned: Confidence | None) -> dict[str, Any] | None:
    """Return what is reported of the probabilities of an evaluation, as JSON types.

    None without probabilities. Without `learned`, temperature and sets are left out.
    """
    plain, curve = calibration(evaluation), accuracy_by_share(evaluation)
    if plain is None or curve is None or evaluation.probabilities is None:
        return None
    found: dict[str, Any] = {
        "calibration_error": plain.error,
        "answering": [
            {"share": share, "accuracy": float(curve[max(1, round(share * len(curve))) - 1])}
            for share in ANSWERED
        ],
    }
    if learned is None:
        return found
    rates = tempered(evaluation.probabilities, learned.temperature)
    better = calibration(attrs.evolve(evaluation, probabilities=rates))
    assert better is not None
    rows, columns = (
        np.arange(len(evaluation)),
        np.searchsorted(evaluation.classes, evaluation.labels),
    )
    sets = []
    for coverage in COVERAGES:
        inside = learned.sets(evaluation.probabilities, coverage)
        share = float(inside[rows, columns].mean())
        sets.append(
            {
                "stated": coverage,
                "covered": {"value": share, "interval": list(evaluation.interval(share))},
                "mean_size": float(inside.sum(axis=1).mean()),
            }
        )
    return found | {
        "learned_from": len(learned.scores),
        "temperature": learned.temperature,
        "tempered_calibration_error": better.error,
        "sets": sets,
    }


def sentences(told: dict[str, Any] | None) -> list[str]:
    """Return in words what `confidence_of` found."""
    if told is None:
        return []
    shares = [a for a in told["answering"] if a["share"] in (0.9, 0.5)]
    found = [
        f"Its probabilities miss the share of right answers by {told['calibration_error']:.3f} on "
        "average (expected calibration error). Of the "
        + ", of the ".join(f"surest {a['share']:.0%} {a['accuracy']:.3f} are right" for a in shares)
        + "."
    ]
    if "temperature" in told:
        found.append(
            f"Divided by the temperature {told['temperature']:.2f}, learned from "
            f"{told['learned_from']} validation patterns, the logarithms of its probabilities miss "
            f"by {told['tempered_calibration_error']:.3f}."
        )
        sets = [
            f"{s['stated']:.0%}: {s['mean_size']:.1f} numbers, {s['covered']['value']:.3f} covered"
            for s in told["sets"]
        ]
        found.append(
            f"Sets of numbers with a stated coverage hold on average ({'; '.join(sets)}). The "
            "coverage is promised for patterns drawn as the validation patterns were."
        )
    return found

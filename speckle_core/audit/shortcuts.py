"""Whether n can be predicted from a single number per pattern."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np

from speckle_core.analysis.evaluation import Evaluation
from speckle_core.analysis.verdict import SOLVED, spell
from speckle_core.contracts.arrays import FloatArray, IntArray

# Values that differ by less than this fraction of the largest are equal: the rounding error of a
# sum depends on n.
_SAME = 1e-6


@attrs.frozen(eq=False)
class Shortcut:
    """How well a single quantity of a pattern predicts n.

    Parameters
    ----------
    quantity : str
        Name of the quantity.
    low, high : float
        Range of its values.
    correlation : float, optional
        Spearman's rank correlation with n over all patterns; None for a constant.
    evaluation : Evaluation, optional
        Of a rule on that quantity alone on the test patterns; None for a constant.
    """

    quantity: str
    low: float
    high: float
    correlation: float | None = None
    evaluation: Evaluation | None = None

    @classmethod
    def of(
        cls, quantity: str, values: FloatArray, labels: IntArray, parts: Mapping[str, IntArray]
    ) -> Shortcut:
        """Evaluate how well `values` predict `labels`, both (N,).

        The rule computes the mean rank of each class among all training values, and predicts the
        class with the nearest mean. Ranks are independent of unit and scale.
        """
        low, high = float(values.min()), float(values.max())
        largest = max(abs(low), abs(high))
        if high - low <= _SAME * largest:
            return cls(quantity, low, high)
        steps = np.rint(values / (_SAME * 1e-3 * largest))
        train, test = parts["train"], parts["test"]
        correlation = np.corrcoef(_ranks(steps, steps), _ranks(labels, labels))[0, 1]
        known, classes = _ranks(steps[train], steps[train]), np.unique(labels[train])
        means = np.array([known[labels[train] == value].mean() for value in classes])
        asked = _ranks(steps[test], steps[train])
        nearest = np.abs(asked[:, None] - means).argmin(axis=1)
        evaluation = Evaluation(np.unique(labels), labels[test], classes[nearest])
        return cls(quantity, low, high, float(correlation), evaluation)

    def __str__(self) -> str:
        if self.evaluation is None:
            return f"The {self.quantity} is the same in all patterns, so it does not predict n."
        if self.evaluation.accuracy >= SOLVED:
            return (
                f"n can be predicted from the {self.quantity} alone: accuracy "
                f"{spell(self.evaluation)} of a rule on it."
            )
        chance = 1 / len(self.evaluation.classes)
        against = f"accuracy {spell(self.evaluation)} of a rule on it, chance {chance:.3f}"
        if self.evaluation.accuracy_interval[0] > chance:
            return f"The {self.quantity} is predictive of n: {against}."
        return f"The {self.quantity} is not predictive of n: {against}."


def _ranks(values: Any, among: Any) -> FloatArray:
    """Return the fraction of `among` below each value; equal values count half."""
    ordered = np.sort(among)
    sides = [np.searchsorted(ordered, values, side=side) for side in ("left", "right")]
    ranks: FloatArray = np.add(*sides) / (2 * len(ordered))
    return ranks

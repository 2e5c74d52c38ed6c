"""Whether one number of each pattern says what n is; which number that is, is not known here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np

from speckle_core.analysis.evaluation import Evaluation
from speckle_core.analysis.verdict import SOLVED, spell
from speckle_core.contracts.arrays import FloatArray, IntArray

# Values this close, as a share of the largest, are one: the last digits of a sum depend on n.
_SAME = 1e-6


@attrs.frozen(eq=False)
class Tie:
    """How far one number of a pattern says what n is.

    Parameters
    ----------
    quantity : str
        What the number is.
    low, high : float
        The range of its values.
    correlation : float, optional
        Spearman's rank correlation with n over all patterns; None for a constant.
    reading : Evaluation, optional
        What a rule on that number alone reads of the test patterns; None for a constant.
    """

    quantity: str
    low: float
    high: float
    correlation: float | None = None
    reading: Evaluation | None = None

    @classmethod
    def of(
        cls, quantity: str, values: FloatArray, labels: IntArray, parts: Mapping[str, IntArray]
    ) -> Tie:
        """Return the tie between `values` and `labels`, both (N,).

        The rule learns from the training part the mean rank of each class among all training
        values, and takes the class whose mean is nearest. Ranks know no unit and no scale.
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
        reading = Evaluation(np.unique(labels), labels[test], classes[nearest])
        return cls(quantity, low, high, float(correlation), reading)

    def __str__(self) -> str:
        if self.reading is None:
            return f"The {self.quantity} is the same in all patterns: not tied to n."
        if self.reading.accuracy >= SOLVED:
            return (
                f"n can be read off the {self.quantity} alone: a rule on that one number reads "
                f"{spell(self.reading)} of the test patterns."
            )
        chance = 1 / len(self.reading.classes)
        against = f"a rule on it reads {spell(self.reading)}, chance is {chance:.3f}"
        if self.reading.accuracy_interval[0] > chance:
            return f"The {self.quantity} tells something of n: {against}."
        return f"The {self.quantity} does not tell n: {against}."


def _ranks(values: Any, among: Any) -> FloatArray:
    """Return the share of `among` below each value, ties counted half."""
    ordered = np.sort(among)
    sides = [np.searchsorted(ordered, values, side=side) for side in ("left", "right")]
    ranks: FloatArray = np.add(*sides) / (2 * len(ordered))
    return ranks

"""True and predicted values of test patterns, and the metrics that follow from them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from speckle_core.analysis.evaluation_files import read_evaluation, write_evaluation
from speckle_core.analysis.intervals import Interval, wilson
from speckle_core.analysis.quantities import (
    QUANTITIES,
    QuantityName,
    title_of,
    unit_in_words,
    unit_of,
)
from speckle_core.contracts.arrays import IntArray
from speckle_core.contracts.patterns import same_in_all
from speckle_core.errors import DataError

Array = NDArray[np.float64]
_HEADER = ["index", "particles", "true", "predicted", "low", "high"]
#: Quantile of the normal density for 95 %.
_TWO_SIDED = 1.959964


def _array(values: ArrayLike) -> Array:
    return np.asarray(values, dtype=np.float64)


def _integers(values: ArrayLike) -> IntArray:
    return np.asarray(values, dtype=np.int64)


@attrs.frozen(eq=False)
class ValueEvaluation:
    """True and predicted values of the same N test patterns.

    Parameters
    ----------
    quantity : str
        What the values are; see `QUANTITIES`.
    stated : float
        The coverage that the intervals state.
    labels : array of int, (N,)
        Number of particles of each pattern.
    truth, predicted : array, (N,)
        In the unit of the quantity.
    intervals : array, (N, 2)
        Lower and upper ends; infinite where too few validation patterns told.

    Raises
    ------
    DataError
        For no patterns, or arrays of unequal length.
    """

    quantity: QuantityName
    stated: float
    labels: IntArray = attrs.field(converter=_integers)
    truth: Array = attrs.field(converter=_array)
    predicted: Array = attrs.field(converter=_array)
    intervals: Array = attrs.field(converter=_array)

    def __attrs_post_init__(self) -> None:
        count = len(self.labels)
        if not count:
            raise DataError("there are no patterns to evaluate", where="evaluation")
        shapes = (self.truth.shape, self.predicted.shape, self.intervals.shape)
        if shapes != ((count,), (count,), (count, 2)) or self.quantity not in QUANTITIES:
            raise DataError(f"values of shapes {shapes} do not belong together", where="evaluation")

    def __len__(self) -> int:
        """Return the number of test patterns."""
        return len(self.labels)

    @property
    def errors(self) -> Array:
        """Predicted minus true value, (N,)."""
        return self.predicted - self.truth

    @property
    def mean_absolute_error(self) -> float:
        """Mean distance of the predicted from the true value (MAE)."""
        return float(np.abs(self.errors).mean())

    @property
    def root_mean_square_error(self) -> float:
        """Root of the mean squared error (RMSE)."""
        return float(np.sqrt((self.errors**2).mean()))

    @property
    def bias(self) -> float:
        """Mean of predicted minus true value."""
        return float(self.errors.mean())

    @property
    def explained(self) -> float | None:
        """R², the share of the variance that is explained; None where the values do not differ."""
        if same_in_all(self.truth):
            return None
        return 1 - float((self.errors**2).mean()) / float(self.truth.var())

    @property
    def known(self) -> bool:
        """Whether the intervals are finite."""
        return bool(np.isfinite(self.intervals).all())

    @property
    def covered(self) -> float:
        """Share of the true values that lie within their interval."""
        low, high = self.intervals.T
        return float(np.mean((low <= self.truth) & (self.truth <= high)))

    @property
    def covered_interval(self) -> Interval:
        """The 95 % interval of `covered`."""
        return wilson(self.covered * len(self), len(self))

    @property
    def mean_width(self) -> float:
        """Mean width of the intervals."""
        return float((self.intervals[:, 1] - self.intervals[:, 0]).mean())

    def by_number(self) -> dict[int, ValueEvaluation]:
        """Return the evaluation of the patterns of each number of particles."""
        return {int(n): self._at(self.labels == n) for n in np.unique(self.labels)}

    def _at(self, rows: NDArray[np.bool_]) -> ValueEvaluation:
        parts = (self.labels, self.truth, self.predicted, self.intervals)
        return ValueEvaluation(self.quantity, self.stated, *(part[rows] for part in parts))

    def to_dict(self) -> dict[str, Any]:
        """Return every number as JSON types."""
        told = {"value": self.covered, "interval": list(self.covered_interval)}
        return {
            "patterns": len(self),
            "quantity": self.quantity,
            "unit": unit_of(self.quantity),
            "mean_absolute_error": self.mean_absolute_error,
            "root_mean_square_error": self.root_mean_square_error,
            "bias": self.bias,
            "explained_variance": self.explained,
            "stated_coverage": self.stated,
            "covered": told if self.known else None,
            "mean_width": self.mean_width if self.known else None,
            "per_number": [
                {
                    "particles": n,
                    "patterns": len(part),
                    "mean_absolute_error": part.mean_absolute_error,
                    "bias": part.bias,
                    "covered": part.covered if self.known else None,
                }
                for n, part in self.by_number().items()
            ],
        }

    def save(self, folder: Path) -> None:
        """Write metrics.json and predictions.csv to `folder`, each atomically.

        Raises
        ------
        OutputError
            When a file cannot be written.
        """
        table = np.column_stack([self.truth, self.predicted, self.intervals]).tolist()
        labels = self.labels.tolist()
        rows = [[i, n, *row] for i, (n, row) in enumerate(zip(labels, table, strict=True))]
        write_evaluation(folder, self.to_dict(), _HEADER, rows)

    @classmethod
    def load(cls, folder: Path) -> ValueEvaluation:
        """Read what `save` wrote.

        Raises
        ------
        DataError
            When a file is missing or damaged, or the two do not match.
        """
        with read_evaluation(folder) as (metrics, header, rows):
            if header != _HEADER:
                raise ValueError("its columns are others")
            table = np.array(rows, dtype=np.float64).reshape(-1, len(_HEADER))
            _, labels, truth, predicted, low, high = table.T
            stated = float(metrics["stated_coverage"])
            ends = np.stack([low, high], axis=1)
            loaded = cls(metrics["quantity"], stated, labels, truth, predicted, ends)
            if loaded.mean_absolute_error != metrics["mean_absolute_error"]:
                raise ValueError("the metrics are of other predictions")
        return loaded


def spell_with_interval(value: float, low: float, high: float) -> str:
    """Return a value with its interval, with decimals that suit the interval's width."""
    if not np.isfinite(high - low):
        return f"{value:.3g}"
    width = max(high - low, 1e-12)
    places = min(max(0, 1 - int(np.floor(np.log10(width)))), 9)
    return f"{value:.{places}f} [{low:.{places}f}, {high:.{places}f}]"


def compare_values(evaluations: Mapping[str, ValueEvaluation]) -> str:
    """Return a sentence that compares the mean absolute error of the first with the best other's.

    The 95 % interval of the mean of the paired differences, as of a normal density, decides.
    """
    (name, first), *others = evaluations.items()
    ours = f"{first.mean_absolute_error:.3g}{unit_in_words(first.quantity)}"
    told = f"{name} reads the {title_of(first.quantity)} with a mean absolute error of {ours}"
    if not others:
        return f"{told}. Without a baseline it is unknown whether that needs a network."
    rule, best = min(others, key=lambda pair: pair[1].mean_absolute_error)
    gains = np.abs(best.errors) - np.abs(first.errors)
    gain, half = float(gains.mean()), _TWO_SIDED * float(gains.std()) / np.sqrt(len(gains))
    theirs = f"{best.mean_absolute_error:.3g}"
    if abs(gain) <= half:
        return (
            f"{told}; that of the best baseline, {rule}, does not differ significantly ({theirs})."
        )
    which = "less" if gain > 0 else "more"
    low, high = sorted((abs(gain) - half, abs(gain) + half))
    return (
        f"{told}, {abs(gain):.3g} [{low:.3g}, {high:.3g}] {which} than the best baseline, {rule} "
        f"({theirs})."
    )


def value_sentences(evaluation: ValueEvaluation) -> list[str]:
    """Return in words what the intervals of an evaluation are worth."""
    if not evaluation.known:
        return ["There were too few validation patterns to state intervals."]
    low, high = evaluation.covered_interval
    return [
        f"Its intervals of {100 * evaluation.stated:g} %, {evaluation.mean_width:.3g} wide on "
        f"average, hold {evaluation.covered:.3f} [{low:.3f}, {high:.3f}] of the true values. The "
        f"{100 * evaluation.stated:g} % is promised only for patterns drawn as the validation "
        "patterns were."
    ]

"""Labels and predictions, and the metrics that follow from them.

Metrics are computed on demand. `speckle_core.analysis.verdict` makes an `Evaluation` from a
classifier.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core.analysis.evaluation_files import read_evaluation, write_evaluation
from speckle_core.analysis.intervals import Interval, wilson
from speckle_core.contracts.arrays import IntArray
from speckle_core.errors import DataError


@attrs.frozen(eq=False)
class PerClass:
    """Precision, recall, F1 and support of every class, each (C,); 0 where undefined."""

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]
    support: IntArray


def _defined(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with None for what a class without test patterns does not have."""
    return row if row["support"] else row | {"recall": None, "f1": None}


def _integers(values: Any) -> IntArray:
    return np.asarray(values, dtype=np.int64)


def _floats(values: Any) -> NDArray[np.float64] | None:
    return None if values is None else np.asarray(values, dtype=np.float64)


@attrs.frozen(eq=False)
class Evaluation:
    """Labels and predictions of the same N test patterns, over C classes.

    Parameters
    ----------
    classes : array of int, (C,)
        The classes of the classifier (numbers of particles), ascending.
    labels, predicted : array of int, (N,)
        True and predicted class of each pattern.
    probabilities : array, (N, C), optional
        One column per class.
    places : array of int, (N,), optional
        Which test patterns these are, ascending, where only a sample of them was read; None for
        all.

    Raises
    ------
    DataError
        For no patterns, unequal lengths, or a label or prediction outside the classes.

    Examples
    --------
    >>> from speckle_core import Evaluation
    >>> evaluation = Evaluation(classes=[2, 3, 4], labels=[2, 3, 4, 4], predicted=[2, 4, 4, 4])
    >>> evaluation.accuracy
    0.75
    >>> evaluation.confusion.tolist()
    [[1, 0, 0], [0, 0, 1], [0, 0, 2]]
    """

    classes: IntArray = attrs.field(converter=_integers)
    labels: IntArray = attrs.field(converter=_integers)
    predicted: IntArray = attrs.field(converter=_integers)
    probabilities: NDArray[np.float64] | None = attrs.field(default=None, converter=_floats)
    places: IntArray | None = attrs.field(
        default=None, converter=attrs.converters.optional(_integers)
    )

    def __attrs_post_init__(self) -> None:
        shape = (len(self.labels), len(self.classes))
        if not len(self.labels):
            raise DataError("there are no patterns to evaluate", where="evaluation")
        if np.any(np.diff(self.classes) <= 0):
            raise DataError("the classes are not ascending", where="evaluation")
        if len(self.predicted) != len(self.labels):
            raise DataError(
                f"{len(self.labels)} labels but {len(self.predicted)} predictions",
                where="evaluation",
            )
        if self.probabilities is not None and self.probabilities.shape != shape:
            raise DataError(
                f"probabilities of shape {self.probabilities.shape}, not {shape}",
                where="evaluation",
            )
        if self.places is not None and (
            len(self.places) != len(self.labels) or np.any(np.diff(self.places) <= 0)
        ):
            raise DataError("its places are not one for each pattern", where="evaluation")
        for name, values in (("labels", self.labels), ("predictions", self.predicted)):
            check_known_labels(values, self.classes, name)

    def __len__(self) -> int:
        """Return the number of test patterns."""
        return len(self.labels)

    def at(self, places: IntArray) -> Evaluation:
        """Return the evaluation of the test patterns at `places` alone.

        Raises
        ------
        DataError
            When one of them was not read.
        """
        known = np.arange(len(self)) if self.places is None else self.places
        rows = np.searchsorted(known, places)
        if np.any(rows >= len(known)) or not np.array_equal(known[rows], places):
            raise DataError("some of these patterns were not read", where="evaluation")
        probabilities = None if self.probabilities is None else self.probabilities[rows]
        return Evaluation(
            self.classes, self.labels[rows], self.predicted[rows], probabilities, places
        )

    @property
    def errors(self) -> IntArray:
        """Predicted minus true class, (N,), in particles."""
        return self.predicted - self.labels

    @property
    def confusion(self) -> IntArray:
        """Counts, (C, C): rows are the true classes, columns the predicted ones."""
        count = len(self.classes)
        cells = np.searchsorted(self.classes, self.labels) * count
        cells += np.searchsorted(self.classes, self.predicted)
        return np.bincount(cells, minlength=count * count).reshape(count, count)

    @property
    def accuracy(self) -> float:
        """Fraction of patterns classified correctly."""
        return self.within(0)

    @property
    def accuracy_interval(self) -> Interval:
        """The 95 % interval of the accuracy."""
        return self.interval(self.accuracy)

    def within(self, k: int) -> float:
        """Return the fraction of patterns predicted to within `k` particles."""
        return float(np.mean(np.abs(self.errors) <= k))

    @property
    def mean_absolute_error(self) -> float:
        """Mean distance of the predicted from the true number, in particles."""
        return float(np.mean(np.abs(self.errors)))

    def off_by_more_than(self, k: int) -> int:
        """Return the number of patterns whose prediction is off by more than `k` particles."""
        return int(np.sum(np.abs(self.errors) > k))

    def interval(self, fraction: float) -> Interval:
        """Return the 95 % Wilson interval of a fraction of these patterns."""
        return wilson(fraction * len(self), len(self))

    def per_class(self) -> PerClass:
        """Return precision, recall, F1 and support of every class.

        Precision is undefined for a class that is never predicted, recall for one without test
        patterns; both are then 0 (scikit-learn's ``zero_division=0``).
        """
        from sklearn.metrics import precision_recall_fscore_support

        return PerClass(
            *precision_recall_fscore_support(
                self.labels, self.predicted, labels=self.classes, zero_division=0
            )
        )

    def macro(self) -> dict[str, float]:
        """Return precision, recall and F1 averaged over the classes that occur.

        A class that is neither a label nor a prediction here is left out, as in scikit-learn.
        """
        table = self.per_class()
        occurs = np.isin(self.classes, np.union1d(self.labels, self.predicted))
        return {
            name: float(np.mean(getattr(table, name)[occurs]))
            for name in ("precision", "recall", "f1")
        }

    @property
    def log_loss(self) -> float | None:
        """Mean of −ln(probability of the true class); None without probabilities.

        Probabilities are clipped to the smallest positive float64, to keep it finite.
        """
        if self.probabilities is None:
            return None
        columns = np.searchsorted(self.classes, self.labels)
        true = self.probabilities[np.arange(len(self)), columns]
        return float(-np.mean(np.log(np.maximum(true, np.finfo(np.float64).tiny))))

    def to_dict(self) -> dict[str, Any]:
        """Return every number as JSON types."""

        def share(fraction: float) -> dict[str, Any]:
            return {"value": fraction, "interval": list(self.interval(fraction))}

        table = attrs.asdict(self.per_class())
        rows = zip(*(table[name].tolist() for name in table), strict=True)
        return {
            "patterns": len(self),
            "sample": self.places is not None,
            "classes": self.classes.tolist(),
            "accuracy": share(self.accuracy),
            "within_1": share(self.within(1)),
            "within_2": share(self.within(2)),
            "mean_absolute_error": self.mean_absolute_error,
            "off_by_more_than_1": self.off_by_more_than(1),
            "off_by_more_than_2": self.off_by_more_than(2),
            "macro": self.macro(),
            "log_loss": self.log_loss,
            "per_class": [
                {"class": value, **_defined(dict(zip(table, row, strict=True)))}
                for value, row in zip(self.classes.tolist(), rows, strict=True)
            ],
            "confusion": self.confusion.tolist(),
        }

    def save(self, folder: Path) -> None:
        """Write metrics.json and predictions.csv to `folder`, each atomically.

        Raises
        ------
        OutputError
            When a file cannot be written.
        """
        named = [f"p_{value}" for value in self.classes.tolist()]
        probabilities = None if self.probabilities is None else self.probabilities.tolist()
        header = ["index", "label", "predicted", *(named if probabilities else ())]
        places = range(len(self)) if self.places is None else self.places.tolist()
        rows = [
            [places[i], *pair, *(probabilities[i] if probabilities else ())]
            for i, pair in enumerate(
                zip(self.labels.tolist(), self.predicted.tolist(), strict=True)
            )
        ]
        write_evaluation(folder, self.to_dict(), header, rows)

    @classmethod
    def load(cls, folder: Path) -> Evaluation:
        """Read what `save` wrote.

        Raises
        ------
        DataError
            When a file is missing or damaged, or the two do not match.
        """
        with read_evaluation(folder) as (metrics, header, rows):
            classes = _integers(metrics["classes"])
            pairs = _integers([row[1:3] for row in rows]).reshape(-1, 2)
            columns = header[3:]
            if columns not in ([], [f"p_{value}" for value in classes.tolist()]):
                raise ValueError("the columns are not the classes")
            table = np.array([row[3:] for row in rows], dtype=np.float64) if columns else None
            places = [row[0] for row in rows] if metrics.get("sample") else None
            loaded = cls(classes, pairs[:, 0], pairs[:, 1], table, places)
            if loaded.confusion.tolist() != metrics["confusion"]:
                raise ValueError("the metrics are of other predictions")
        return loaded


def check_known_labels(values: IntArray, classes: IntArray, name: str) -> None:
    """Raise `DataError` if some of `values`, described by `name`, are not among `classes`."""
    unknown = np.setdiff1d(values, classes)
    if unknown.size:
        raise DataError(
            f"{name} {unknown.tolist()} are not among the classes of the classifier "
            f"({classes.min()}…{classes.max()})",
            where="evaluation",
            hint="Evaluate on patterns of the classes it was trained on.",
        )

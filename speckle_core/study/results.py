"""The results of a study: one sealed note per point, a table, a figure and a page of them all."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from speckle_core.analysis.evaluation import Evaluation
from speckle_core.notes import read_json, write_json

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from speckle_core.study.points import Axis

#: Combinations of the axes after the first that get a panel of their own.
MOST_PANELS = 12
_SHARES = ("accuracy", "within_1")
_SPENT = "spent_data"


@attrs.frozen
class Result:
    """What one classifier or model reads at one point.

    Parameters
    ----------
    values : tuple
        A value for each axis.
    classifier : str
        Name or label of the classifier.
    patterns, trained_on : int
        Number of test patterns that were read, and of training patterns. A slow classifier reads
        only some of the test part, drawn at random.
    accuracy, within_1 : tuple of float
        The fraction that is right, or off by at most 1, with its 95 % Wilson interval.
    mean_absolute_error : float
        Mean of |predicted − true number of particles|.
    seconds : tuple of float
        To train, and to read the test patterns.
    far : int, optional
        Number of test patterns that a trained model calls far from its training data.
    error : str, optional
        Why there is no result; all numbers are then NaN or 0.
    """

    values: tuple[Any, ...]
    classifier: str
    patterns: int = 0
    trained_on: int = 0
    accuracy: tuple[float, float, float] = (np.nan, np.nan, np.nan)
    within_1: tuple[float, float, float] = (np.nan, np.nan, np.nan)
    mean_absolute_error: float = np.nan
    seconds: tuple[float, float] = (np.nan, np.nan)
    far: int | None = None
    error: str | None = None

    @classmethod
    def of(
        cls,
        values: tuple[Any, ...],
        classifier: str,
        evaluation: Evaluation,
        trained_on: int,
        seconds: tuple[float, float],
        far: int | None = None,
    ) -> Result:
        """Return the result that follows from an evaluation."""
        accuracy, close = evaluation.accuracy, evaluation.within(1)
        return cls(
            values,
            classifier,
            len(evaluation),
            trained_on,
            (accuracy, *evaluation.interval(accuracy)),
            (close, *evaluation.interval(close)),
            float(np.mean(np.abs(evaluation.errors))),
            seconds,
            far,
        )

    def write(self, path: Path, spent: str = "") -> None:
        """Write it to `path`, atomically and with a checksum.

        `spent` is the name of the data set that is to be removed once its results are there.
        """
        known = {k: v for k, v in self.to_dict().items() if k not in ("values", "error")}
        write_json(path, known | ({_SPENT: spent} if spent else {}))

    @staticmethod
    def spent(path: Path) -> str:
        """Return what `write` noted as spent; nothing where it noted none, or is damaged."""
        try:
            return str(read_json(path).get(_SPENT, ""))
        except (OSError, ValueError):
            return ""

    @classmethod
    def read(cls, path: Path, values: tuple[Any, ...], classifier: str) -> Result:
        """Return what `write` wrote of this point.

        Raises
        ------
        OSError
            When there is no such file.
        ValueError
            When it is damaged.
        """
        try:
            data = read_json(path)
            if data.pop("classifier") != classifier:
                raise ValueError("it is of another classifier")
            data.pop(_SPENT, None)
            tuples = {name: tuple(data.pop(name)) for name in (*_SHARES, "seconds")}
            return cls(values, classifier, **(data | tuples))
        except (KeyError, TypeError) as error:
            raise ValueError(f"it is not a result ({error})") from error

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON types; None where a number is not known."""
        known = attrs.asdict(self)
        return {name: _plain(value) for name, value in known.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def table(axes: Sequence[Axis], results: Sequence[Result]) -> str:
    """Return the results as CSV, one line each."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    shares = [f"{name}{end}" for name in _SHARES for end in ("", "_low", "_high")]
    writer.writerow(
        [axis.path for axis in axes]
        + ["classifier", "patterns", "trained_on", *shares, "mean_absolute_error"]
        + ["seconds_to_train", "seconds_to_read", "far", "error"]
    )
    for result in results:
        numbers = [
            *result.accuracy,
            *result.within_1,
            result.mean_absolute_error,
            *result.seconds,
        ]
        writer.writerow(
            [
                *result.values,
                result.classifier,
                result.patterns,
                result.trained_on,
                *("" if np.isnan(n) else f"{n:.6g}" for n in numbers),
                "" if result.far is None else result.far,
                result.error or "",
            ]
        )
    return text.getvalue()


def draw(axes: Sequence[Axis], results: Sequence[Result]) -> Figure:
    """Draw the accuracy over the first axis, one panel for each combination of the others."""
    from speckle_core.figures import accuracy_curves

    others = list(dict.fromkeys(_others(result) for result in results))
    panels = {}
    for other in others[:MOST_PANELS]:
        title = ", ".join(f"{a.path} = {v}" for a, v in zip(axes[1:], other, strict=True))
        curves: dict[str, list[tuple[float, float, float]]] = {}
        for name in dict.fromkeys(result.classifier for result in results):
            found = {str(r.values[0]): r.accuracy for r in results if _is(r, name, other)}
            curves[name] = [found.get(str(value), (np.nan,) * 3) for value in axes[0].values]
        panels[title] = curves
    return accuracy_curves(axes[0].path, axes[0].values, panels)


def sampled(results: Sequence[Result]) -> list[str]:
    """Return a sentence for each column that read only some of the test patterns."""
    whole: dict[str, int] = {}
    for result in results:
        whole[str(result.values)] = max(whole.get(str(result.values), 0), result.patterns)
    few = {
        result.classifier: f"{result.classifier} read {result.patterns} of the "
        f"{whole[str(result.values)]} test patterns, drawn at random, and its intervals are those "
        "of so few."
        for result in results
        if 0 < result.patterns < whole[str(result.values)]
    }
    return list(few.values())


def _others(result: Result) -> tuple[str, ...]:
    return tuple(str(value) for value in result.values[1:])


def _is(result: Result, classifier: str, others: tuple[str, ...]) -> bool:
    return result.classifier == classifier and _others(result) == others

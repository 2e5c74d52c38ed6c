"""Answers put together from what a model, its baselines and the training data say of patterns."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core.analysis.confidence import COVERAGES, Confidence, tempered
from speckle_core.contracts.arrays import FloatArray, IntArray
from speckle_core.contracts.capabilities import SupportsSample
from speckle_core.contracts.roles import Classifier
from speckle_core.errors import PatternError
from speckle_core.experiment.sections import Target
from speckle_core.models.answer import Answer, ValueAnswer
from speckle_core.models.standing import Standing
from speckle_core.models.values import Intervals, read_values, require_values

Array = NDArray[np.float64]
# Patterns at once that a baseline which takes seconds each is still asked for.
_FEW = 4


def class_answers(
    classes: IntArray,
    rates: Array,
    baselines: Mapping[str, IntArray],
    standing: Sequence[Standing],
    worth: Confidence | None,
) -> list[Answer]:
    """Return an answer for each row of probabilities (B, classes).

    Parameters
    ----------
    classes : array of int, (classes,)
        The classes.
    rates : array, (B, classes)
        Probability of each.
    baselines : mapping of str to array of int, (B,)
        What each baseline reads.
    standing : sequence of Standing, (B,)
        How each pattern stands to the training data.
    worth : Confidence, optional
        What validation patterns told of the probabilities.
    """
    order = np.argsort(-rates, axis=1, kind="stable")[:, :2]
    calibrated, sets = _worth_of(rates, worth)
    return [
        Answer(
            number=int(classes[first]),
            probability=float(rates[row, first]),
            second=int(classes[second]),
            second_probability=float(rates[row, second]),
            baselines={name: int(read[row]) for name, read in baselines.items()},
            **attrs.asdict(standing[row]),
            probabilities=tuple(rates[row].tolist()),
            calibrated=None if calibrated is None else float(calibrated[row, first]),
            sets={c: tuple(classes[found[row]].tolist()) for c, found in sets.items()},
        )
        for row, (first, second) in enumerate(order)
    ]


def value_answers(
    target: Target,
    found: Array,
    learned: Intervals,
    name: str,
    baselines: Mapping[str, Array],
    standing: Sequence[Standing],
) -> list[ValueAnswer]:
    """Return an answer for each row of value and spread (B, 2) that the classifier `name` reads.

    The other parameters are those of `class_answers`, and what was learned of intervals.
    """
    ends = learned.of(name).intervals(found, target.interval)
    return [
        ValueAnswer(
            quantity=target.quantity,
            value=float(found[row, 0]),
            spread=float(found[row, 1]),
            low=float(ends[row, 0]),
            high=float(ends[row, 1]),
            stated=target.interval,
            outside=not learned.low <= found[row, 0] <= learned.high,
            baselines={key: float(read[row]) for key, read in baselines.items()},
            **attrs.asdict(one),
        )
        for row, one in enumerate(standing)
    ]


def baseline_numbers(
    baselines: Mapping[str, Classifier], prepared: FloatArray
) -> dict[str, IntArray]:
    """Return what each baseline reads in prepared patterns, (B,), without those that cannot.

    One that takes seconds a pattern is left out where there are many.
    """
    found = {}
    for name, baseline in baselines.items():
        if isinstance(baseline, SupportsSample) and len(prepared) > _FEW:
            continue
        with contextlib.suppress(PatternError):  # it cannot read this size, and says nothing
            columns = np.asarray(baseline.predict_proba(prepared)).argmax(axis=1)
            found[name] = baseline.classes[columns]
    return found


def baseline_values(baselines: Mapping[str, Classifier], prepared: FloatArray) -> dict[str, Array]:
    """Return the value that each baseline reads in prepared patterns, (B,), as above."""
    found = {}
    for name, baseline in baselines.items():
        with contextlib.suppress(PatternError):
            found[name] = read_values(require_values(name, baseline), prepared)[:, 0]
    return found


def _worth_of(
    rates: Array, learned: Confidence | None
) -> tuple[Array | None, dict[float, NDArray[np.bool_]]]:
    """Return calibrated probabilities, and by coverage which classes are in the set."""
    if learned is None:
        return None, {}
    known = [c for c in COVERAGES if np.isfinite(learned.threshold(c))]
    return tempered(rates, learned.temperature), {c: learned.sets(rates, c) for c in known}

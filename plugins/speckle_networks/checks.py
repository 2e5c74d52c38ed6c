"""Checks of options, pattern sets, patterns and targets. Must not import a framework."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core import (
    DataError,
    FloatArray,
    IntArray,
    KGrid,
    OptionError,
    PatternError,
    PatternSet,
)
from speckle_networks.feed import View

Value = TypeVar("Value")


def at_least(least: float, *, exclusive: bool = False) -> Any:
    """Return an attrs validator: a number of at least `least`, or above it; None is allowed."""

    def check(_: Any, field: attrs.Attribute[Any], value: float | None) -> None:
        if value is not None and not (value > least or (value == least and not exclusive)):
            bound = f"above {least:g}" if exclusive else f"at least {least:g}"
            raise OptionError(f"must be {bound}, not {value!r}", where=field.name)

    return check


def one_of(*known: Any) -> Any:
    """Return an attrs validator: one of these values; a bool is not a number."""
    return lambda _, field, value: one_of_these(value, known, where=field.name)


def one_of_these(value: Value, known: Sequence[Value], *, where: str) -> Value:
    """Return `value` if it is one of `known`; a bool is not a number."""
    if isinstance(value, bool) or value not in known:
        raise OptionError(f"{value!r} is not one of {', '.join(map(repr, known))}", where=where)
    return value


def share(_: Any, field: attrs.Attribute[Any], value: float) -> None:
    """Reject a share outside 0 ≤ value < 1 (an attrs validator)."""
    if not 0 <= value < 1:
        raise OptionError(f"must be at least 0 and below 1, not {value!r}", where=field.name)


def odd(_: Any, field: attrs.Attribute[Any], value: int | None) -> None:
    """Reject an even or negative number of pixels; None is allowed."""
    if value is not None and (value < 1 or value % 2 == 0):
        raise OptionError(
            f"must be odd and positive, not {value!r}",
            where=field.name,
            hint="The cropped square has k = 0 in its middle pixel.",
        )


def check_sets(train: PatternSet, valid: PatternSet, processes: int) -> None:
    """Reject sets that are too small to train on, and validation labels that are not trained."""
    few_classes = train.values is None and len(train.classes) < 2
    if len(train) < 2 * processes or few_classes:
        raise DataError(
            f"{len(train)} training patterns of {len(train.classes)} classes are not enough",
            where="training set",
            hint="At least two patterns (per process) and two classes are needed.",
        )
    if train.values is not None:
        if valid.values is None:
            raise DataError("has no values", where="validation set")
        return
    unknown = np.setdiff1d(valid.labels, train.classes)
    if unknown.size:
        raise DataError(
            f"labels {unknown[:5].tolist()} are not among the training classes",
            where="validation set",
        )


def check_view(view: View, grid: KGrid) -> None:
    """Reject a central crop on a grid without a middle pixel."""
    if view != View() and grid.layout != "centered":
        raise OptionError(
            "crop and half need k = 0 in the middle pixel, but a quadrant has it in its corner",
            where="classifier",
            hint="Omit both, or set grid.layout = 'centered' and generate the data again.",
        )


def check_patterns(patterns: FloatArray) -> NDArray[np.float32]:
    """Return the patterns as float32 (B, ny, nx), all finite."""
    values = np.asarray(patterns, dtype=np.float32)
    if values.ndim != 3:
        raise PatternError(f"patterns must be (B, ny, nx), not of shape {values.shape}")
    bad = np.flatnonzero(~np.isfinite(values).all(axis=(1, 2)))
    if bad.size:
        raise PatternError(f"pattern {bad[0]} contains NaN or infinity")
    return values


def check_targets(
    targets: IntArray, patterns: NDArray[np.float32], count: int
) -> NDArray[np.int64]:
    """Return one of `count` columns per pattern, (B,)."""
    columns = np.asarray(targets, dtype=np.int64)
    if columns.shape != (len(patterns),):
        raise DataError(f"{columns.size} targets for {len(patterns)} patterns")
    if columns.size and (columns.min() < 0 or columns.max() >= count):
        raise DataError(
            f"targets must be columns 0…{count - 1}, not {columns.min()}…{columns.max()}",
            where="targets",
        )
    return columns

"""Which array of a file is meant, and which of its axes counts the frames."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speckle_core import DataError, Frames


def is_pattern(shape: Sequence[int]) -> bool:
    """Say whether an array of that shape may be meant: a row or a column is not a picture."""
    return 2 <= len(shape) <= 5 and min(shape[-2:]) > 1 and math.prod(shape) > 3


def choose(candidates: Mapping[str, Sequence[int]], where: str, others: Sequence[str] = ()) -> str:
    """Return the name of the only candidate.

    Parameters
    ----------
    candidates : mapping of str to shape
        Arrays that could be frames.
    where : str
        The file.
    others : sequence of str
        Arrays that are passed over, such as masks.

    Raises
    ------
    DataError
        When there is none, or there are several.
    """
    if len(candidates) == 1:
        return next(iter(candidates))
    if not candidates:
        said = ", ".join(map(_cut, others[:10]))
        hint = f"It holds {said}, which are not taken for frames." if others else None
        raise DataError("contains no array of two or three dimensions", where=where, hint=hint)
    names = [f"{_cut(name)} {tuple(shape)}" for name, shape in candidates.items()]
    shown = ", ".join(names[:10]) + (", …" if len(names) > 10 else "")
    raise DataError(
        f"contains {len(names)} arrays that could be patterns: {shown}",
        where=where,
        hint="Choose one with --dataset.",
    )


def _cut(name: str) -> str:
    return name if len(name) <= 100 else f"{name[:100]}…"


def reject_name(path: Path, dataset: str | None) -> None:
    """Refuse a name in a format that has none."""
    if dataset is not None:
        raise DataError(f"has no named arrays, so {dataset!r} cannot be chosen", where=str(path))


def counted_first(shape: Sequence[int], axis: int | None, source: str) -> int:
    """Return the axis that counts the frames of a stack, checked; the first by default.

    Raises
    ------
    DataError
        When there is no such axis.
    """
    if axis is None or len(shape) < 3:
        return 0
    if not -len(shape) <= axis < len(shape):
        raise DataError(
            f"has {len(shape)} axes, so none is number {axis}", where=f"{source} (--frames-axis)"
        )
    return axis % len(shape)


def frames_of(
    values: NDArray[Any], path: Path, dataset: str = "", axis: int | None = None, **about: Any
) -> Frames:
    """Return the frames of an array that is in memory or mapped."""
    source = f"{path}: {dataset}" if dataset else str(path)
    first = counted_first(values.shape, axis, source)
    return Frames.from_array(
        np.moveaxis(values, first, 0), path=str(path), dataset=dataset, **about
    )

"""Which array of a file is meant, and which of its axes counts the frames."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speckle_core import DataError, Frames

#: Names of arrays that stand beside frames and are never frames themselves.
_BESIDE = re.compile(
    r"(.*_)?(mask|masks|flatfield|flat|flats|flat_field|dark|darks|background|errors?|sigma|"
    r"uncertaint(y|ies)|std|variance|weights?|gain|gains|efficiency|bad_?pix(els?)?|"
    r"trimbit|sensitivity|angular_calibration.*|countrate_correction.*|pedestals?|noise|rms)",
    re.IGNORECASE,
)
#: Names of masks in which 0 is good, as in NeXus and CXI.
MASKS = ("mask", "pixel_mask", "bad_pixels", "badpixels", "bad_pixel_mask")


def is_beside(name: str) -> bool:
    """Say whether an array of that path is one that stands beside frames, such as a mask."""
    return _BESIDE.fullmatch(name.rsplit("/", 1)[-1]) is not None


def is_pattern(shape: Sequence[int]) -> bool:
    """Say whether an array of that shape may be meant: a row or a column is not a picture."""
    return 2 <= len(shape) <= 5 and min(shape[-2:]) > 1 and math.prod(shape[-2:]) > 3


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


def perhaps_last(shape: Sequence[int], axis: int | None) -> tuple[str, ...]:
    """Return what is to be said of a stack whose last axis may count the frames."""
    if axis is not None or len(shape) != 3 or not shape[0] == shape[1] != shape[2]:
        return ()
    return (
        f"its frames are taken to be {shape[1]} × {shape[2]} pixels; if the last axis counts them, "
        "give --frames-axis -1",
    )


def frames_of(
    values: NDArray[Any], path: Path, dataset: str = "", axis: int | None = None, **about: Any
) -> Frames:
    """Return the frames of an array that is in memory or mapped."""
    source = f"{path}: {dataset}" if dataset else str(path)
    first = counted_first(values.shape, axis, source)
    about["notes"] = (*about.get("notes", ()), *perhaps_last(values.shape, axis))
    return Frames.from_array(
        np.moveaxis(values, first, 0), path=str(path), dataset=dataset, **about
    )

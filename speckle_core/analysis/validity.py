"""Which pixels of a frame count: marks that detectors leave in the counts themselves.

Arrays in, arrays out. A mask is True where a pixel counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speckle_core.errors import OptionError

Mask = NDArray[np.bool_]
WORDS = ("negative", "max", "nan")
#: A detector marks pixels by few negative numbers; more than these are noise about zero.
_MARKS = 4


def check_rule(rule: str) -> str:
    """Return a rule of `invalid` if there is one of that name, or it is a number.

    Raises
    ------
    OptionError
        Otherwise.
    """
    if rule not in WORDS:
        try:
            float(rule)
        except ValueError:
            raise OptionError(
                f"{rule!r} is neither {', '.join(WORDS)} nor a number", where="--invalid"
            ) from None
    return rule


def invalid(counts: NDArray[Any], valid: Mask, rules: Sequence[str] = ()) -> tuple[Mask, list[str]]:
    """Return which of the `valid` pixels hold no counts, (ny, nx), and why, in words.

    Always: NaN and infinity; the largest number of an integer type, which saturated pixels and gaps
    hold; and negative whole numbers, also in floats, unless there are many different ones, as where
    a background was subtracted.

    Parameters
    ----------
    counts : array, (ny, nx)
        As recorded.
    valid : array of bool, (ny, nx)
        Pixels that are known to count so far.
    rules : sequence of str
        What else is invalid: ``negative``, ``max`` (the largest value there is), ``nan``, or a
        value.
    """
    bad = np.zeros(counts.shape, dtype=bool)
    said = []

    def mark(which: Mask, words: str) -> None:
        nonlocal bad
        new = which & valid & ~bad
        if number := int(np.count_nonzero(new)):
            bad |= new
            said.append(f"{number} {'pixel' if number == 1 else 'pixels'} {words}")

    if counts.dtype.kind == "f":
        mark(~np.isfinite(counts), "NaN or infinite")
        # Whole negative numbers and no other are the marks of counts that were saved as floats.
        negative = (counts < 0) & valid & ~bad
        marks = np.unique(counts[negative])
        if len(marks) <= _MARKS and (marks == np.rint(marks)).all():
            mark(negative, f"negative ({', '.join(f'{m:g}' for m in marks)})")
    elif counts.dtype.kind in "iu":
        largest = np.iinfo(counts.dtype).max
        mark(counts == largest, f"at {largest}, the largest {counts.dtype.name}")
        if counts.dtype.kind == "i":
            negative = (counts < 0) & valid
            marks = np.unique(counts[negative])
            if len(marks) <= _MARKS:
                mark(negative, f"negative ({', '.join(str(m) for m in marks)})")
    for rule in rules:
        if rule == "negative":
            mark(counts < 0, "negative")
        elif rule == "max" and (valid & ~bad).any():
            highest = counts[valid & ~bad].max()
            mark(counts == highest, f"at the maximum, {highest}")
        elif rule not in WORDS:
            mark(counts == float(rule), f"at {rule}")
    return bad, said

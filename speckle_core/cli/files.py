"""Patterns from files that a command is given, with every fault named by its file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from speckle_core.errors import PatternError

if TYPE_CHECKING:
    from speckle_core.contracts.arrays import FloatArray
    from speckle_core.contracts.grid import KGrid

_BATCH = 64


def batches(
    files: Sequence[Path], dataset: str | None
) -> Iterator[tuple[Path, int, int, FloatArray]]:
    """Give (file, patterns in it, number of the first one, some of them (B, ny, nx)), in order.

    Raises
    ------
    DataError
        When a file cannot be read.
    """
    from speckle_core.data.foreign_files import read_patterns

    for file in files:
        patterns, _ = read_patterns(file, dataset=dataset)
        for first in range(0, len(patterns), _BATCH):
            yield file, len(patterns), first, patterns[first : first + _BATCH]


@contextlib.contextmanager
def named(file: Path, first: int) -> Iterator[None]:
    """Name `file`, and the number of the first pattern looked at, in faults of patterns."""
    try:
        yield
    except PatternError as error:
        after = f", from pattern {first} on" if first else ""
        where = f"{file}{after}" + (f", {error.where}" if error.where else "")
        raise PatternError(error.what, where=where, hint=error.hint) from error


def grid_of(patterns: FloatArray) -> KGrid:
    """Return the centred grid of pixels that `patterns` (B, ny, nx) lie on, with a step of 1.

    Raises
    ------
    PatternError
        When there is no such grid.
    """
    from speckle_core.contracts.grid import KGrid

    height, width = patterns.shape[1:]
    if height != width or width % 2 == 0:
        raise PatternError(
            f"patterns of {width} x {height} pixels have no middle pixel for k = 0",
            hint="Crop them to a square about k = 0 with an odd number of pixels a side.",
        )
    return KGrid.centered(width, 1.0)

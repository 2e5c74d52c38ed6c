"""Read patterns from the files given to a command; errors name the file."""

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


def read_batches(
    files: Sequence[Path], dataset: str | None
) -> Iterator[tuple[Path, int, int, FloatArray]]:
    """Iterate over (file, its number of patterns, first index, patterns (B, ny, nx)), in batches.

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
def error_location(file: Path, first: int) -> Iterator[None]:
    """Add `file` and the index of the first pattern to any `PatternError`."""
    try:
        yield
    except PatternError as error:
        after = f", from pattern {first} on" if first else ""
        where = f"{file}{after}" + (f", {error.where}" if error.where else "")
        raise PatternError(error.what, where=where, hint=error.hint) from error


def pixel_grid(patterns: FloatArray) -> KGrid:
    """Return the centred grid of `patterns` (B, ny, nx) in pixels, with a step of 1.

    Raises
    ------
    PatternError
        When the patterns are not square, or of even size.
    """
    from speckle_core.contracts.grid import KGrid

    height, width = patterns.shape[1:]
    if height != width or width % 2 == 0:
        raise PatternError(
            f"patterns of {width} x {height} pixels have no middle pixel for k = 0",
            hint="Crop them to an odd-sized square centred on k = 0.",
        )
    return KGrid.centered(width, 1.0)

"""The files in docs/results, and the forms in which their numbers are written."""

from __future__ import annotations

import csv
import functools
from pathlib import Path

from speckle_core.analysis.intervals import wilson

RESULTS = Path(__file__).parents[2] / "results"


@functools.cache
def rows(path: str) -> tuple[dict[str, str], ...]:
    """Return the rows of a CSV file in docs/results."""
    with (RESULTS / path).open(encoding="utf-8") as file:
        return tuple(csv.DictReader(file))


def markdown_table(header: tuple[str, ...], lines: list[tuple[str, ...]]) -> str:
    """Return a Markdown table; a bar in a cell is escaped."""
    table = [header, ("---",) * len(header), *lines]
    cells = (" | ".join(c.replace("|", "\\|") for c in line) for line in table)
    return "\n".join(f"| {line} |" for line in cells)


def interval(right: float, total: int, digits: int = 3) -> str:
    """Return a fraction with its 95 % Wilson interval: ``0.950 [0.910, 0.973]``."""
    low, high = wilson(right, total)
    share = right / total
    return f"{share:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"

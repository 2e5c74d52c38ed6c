"""What docs/paper.md tells and what the files under docs/results hold, as tests read them."""

import csv
import re
from pathlib import Path

import numpy as np

DOCS = Path(__file__).parents[2] / "docs"
RESULTS = DOCS / "results"


def table_after(page, heading):
    """Return the rows of the table below a header line, as lists of cells."""
    lines = page.split(heading)[1].splitlines()[2:]
    found = []
    for line in lines:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


def rows(path):
    return list(csv.DictReader((RESULTS / path).open(encoding="utf-8")))


def numbers(pattern, page):
    return [float(value) for value in re.search(pattern, page).groups()]


def wilson(right, total):
    """The 95 % interval: the roots of (p − right)² = z² p (1 − p) / total (Wilson, 1927)."""
    z2 = 1.959964**2 / total
    return sorted(np.roots([1 + z2, -(2 * right + z2), right**2]).real)


def confusion(folder):
    """The matrix as counted: a row for every true class."""
    (path,) = (RESULTS / folder).glob("figure*.csv")
    return np.array([[int(v) for v in row.values()][1:] for row in rows(path.relative_to(RESULTS))])

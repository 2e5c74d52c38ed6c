"""The files under docs/results, read independently of the documentation's generator."""

import csv
import re
from pathlib import Path

import numpy as np

DOCS = Path(__file__).parents[2] / "docs"
RESULTS = DOCS / "results"


def cells(table):
    """Return the rows of a Markdown table without its header, as lists of cells."""
    return [[c.strip() for c in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def rows(path):
    return list(csv.DictReader((RESULTS / path).read_text("utf-8").splitlines()))


def floats(text):
    return [float(value) for value in re.findall(r"-?\d+(?:\.\d+)?", text)]


def wilson(right, total):
    """The 95 % interval: the roots of (p − right)² = z² p (1 − p) / total (Wilson, 1927)."""
    z2 = 1.959964**2 / total
    return sorted(np.roots([1 + z2, -(2 * right + z2), right**2]).real)


def confusion(folder):
    """The matrix as counted: a row for every true class."""
    (path,) = (RESULTS / folder).glob("figure*.csv")
    return np.array([[int(v) for v in row.values()][1:] for row in rows(path.relative_to(RESULTS))])

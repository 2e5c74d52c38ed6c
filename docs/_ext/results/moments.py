"""First moments of figure 6, beside the published ones."""

from __future__ import annotations

import math

import numpy as np

from results.files import markdown_table, rows

SEEDS = ("20221116", "20221117", "20221118")
_COLUMNS = {
    "raw": "raw",
    "shifted": "shifted standardized",
    "absolute": "absolute standardized",
    "as-coded": "absolute standardized, as coded",
}


def _moments(folder: str, definition: str = "raw") -> dict[int, np.ndarray]:
    found = rows(f"{folder}/figure6.csv")
    counts = np.array([int(row["n"]) for row in found])
    values = np.array([float(row[definition]) for row in found])
    return {int(n): values[counts == n] for n in np.unique(counts)}


def moment(folder: str, definition: str, n: str) -> str:
    """Return the mean first moment of a class: raw, shifted, absolute or as-coded."""
    return f"{_moments(folder, _COLUMNS[definition])[int(n)].mean():.1f}"


def _published() -> dict[int, float]:
    return {
        int(row["n"]): float(row["published"])
        for row in rows("figure6/figure6-means.csv")
    }


def first_moments() -> str:
    """Return the first moments beside the published ones."""
    ours, rising = _moments("figure6"), _moments("figure6-constant-area")
    lines = []
    for n, theirs in _published().items():
        values = ours[n]
        error = values.std(ddof=1) / math.sqrt(len(values))
        difference = values.mean() - theirs
        cells = (
            f"{theirs:.2f}",
            f"{values.mean():.2f}",
            f"{error:.2f}",
            f"{difference:+.2f}",
        )
        relative = difference / (error * math.sqrt(2))
        lines.append((str(n), *cells, f"{relative:+.1f}", f"{rising[n].mean():.2f}"))
    header = ("n", "theirs", "ours", "standard error of ours", "difference")
    more = ("in standard errors of the difference", "ours, constant area")
    return markdown_table((*header, *more), lines)


def _differences(folder: str) -> np.ndarray:
    ours = _moments(folder)
    return np.array([ours[n].mean() - theirs for n, theirs in _published().items()])


def moment_chi() -> str:
    """Return the root mean square difference to the published means, in standard errors."""
    ours = _moments("figure6")
    errors = np.array([v.std(ddof=1) * math.sqrt(2 / len(v)) for v in ours.values()])
    return f"{math.sqrt(np.mean((_differences('figure6') / errors) ** 2)):.2f}"


def positive(folder: str) -> str:
    """Return how many of the differences to the published means are positive."""
    return str(int(np.sum(_differences(folder) > 0)))


def mean_difference() -> str:
    """Return the mean difference to the published means [pixels]."""
    return f"{_differences('figure6').mean():.2f}"


def mean_difference_of_seeds() -> str:
    """Return the mean difference over four seeds, and the same in its standard errors."""
    folders = ["figure6", *(f"figure6-seed-{seed}" for seed in SEEDS)]
    mean = np.mean([_differences(folder).mean() for folder in folders])
    variances = []
    for folder in folders:
        classes = _moments(folder).values()
        variances.append(
            sum(v.var(ddof=1) / len(v) for v in classes) / len(classes) ** 2
        )
    # Four draws of ours against one of theirs, which is assumed to scatter alike.
    error = math.sqrt(np.mean(variances) * (1 + 1 / 4))
    return f"{mean:.2f} pixels, {mean / error:.1f} of its standard errors"

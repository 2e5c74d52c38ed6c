"""Figure 6: the first moments of ten patterns of each class, beside the published means.

Raw and normalized moments are computed from the patterns as they are; the two standardized ones, as
in the text, from patterns with a blocked centre, as the network sees them, unless the block is 0.
The last column is the absolute moment as the authors' code computes it, without a block. Distances
are rounded down to whole pixels, which reproduces the published numbers.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from published import ABSOLUTE, FIRST_MOMENT
from record import save_picture, write_csv, write_json

from speckle_core.analysis.first_moments import first_moments
from speckle_core.data.dataset import Dataset
from speckle_core.errors import DataError
from speckle_core.figures import first_moment

DEFINITIONS = ("raw", "shifted standardized", "absolute standardized", "normalized")
AS_CODED = "absolute standardized, as coded"


def measured(
    dataset: Dataset, patterns_per_count: int, block: int
) -> tuple[NDArray[np.int64], dict[str, NDArray[np.float64]]]:
    """Return the class of each pattern used, (N,), and its moments by definition [pixels], (N,)."""
    fewest = dataset.experiment.structure.patterns_per_count
    if fewest < patterns_per_count:
        raise DataError(
            f"has {fewest} patterns of each class, not {patterns_per_count}",
            where=str(dataset.folder),
        )
    first = np.arange(len(dataset.classes)) * fewest
    chosen = (first[:, None] + np.arange(patterns_per_count)).ravel()
    rows = []
    for index in chosen:
        whole = dataset.patterns().raw(index)
        blocked = whole.copy()
        if block:
            blocked[(0, *dataset.grid.block(block))] = 0
        plain = first_moments(whole, dataset.grid, distance="floor")
        seen = first_moments(blocked, dataset.grid, distance="floor")
        coded = absolute_as_coded(whole[0], np.floor(dataset.grid.distance()))
        rows.append((plain.raw[0], seen.shifted[0], seen.absolute[0], plain.normalized[0], coded))
    columns = np.array(rows).T
    return dataset.labels[chosen], dict(zip((*DEFINITIONS, AS_CODED), columns, strict=True))


def absolute_as_coded(pattern: NDArray[np.floating], distance: NDArray[np.float64]) -> float:
    """Return mean(r |z|) / mean(|z|) + 1 with z the standardized `pattern` (ny, nx) [pixels].

    This is the authors' code; the text has neither the division nor the 1.
    """
    size = np.abs(pattern.astype(np.float64) - pattern.mean(dtype=np.float64))
    return float(np.sum(distance * size) / np.sum(size)) + 1


def compared(counts: NDArray[np.int64], raw: NDArray[np.float64]) -> list[dict[str, float]]:
    """Return for each n the published mean, ours, and their difference in standard errors.

    The published patterns are assumed to have the same standard deviation as ours, so the standard
    error of the difference of two means of m patterns is sd · sqrt(2 / m).
    """
    rows = []
    for n in np.unique(counts).tolist():
        ours = raw[counts == n]
        error = float(ours.std(ddof=1) / math.sqrt(len(ours)))
        difference = float(ours.mean()) - FIRST_MOMENT[n]
        rows.append(
            {
                "n": n,
                "published": FIRST_MOMENT[n],
                "ours": round(float(ours.mean()), 3),
                "standard_error": round(error, 3),
                "difference": round(difference, 3),
                "in_standard_errors": round(difference / (error * math.sqrt(2)), 2),
            }
        )
    return rows


def figure6(data: Path, output: Path, patterns_per_count: int = 10, block: int = 11) -> None:
    """Write figure 6 (a)–(h) of the data set `data` into `output`, with its numbers."""
    with Dataset.open(data) as dataset:
        counts, moments = measured(dataset, patterns_per_count, block)
        experiment = dataset.experiment
    table = compared(counts, moments["raw"])
    deviations = np.array([row["in_standard_errors"] for row in table])
    of_text = {name: moments[name] for name in DEFINITIONS}
    picture = first_moment(counts, of_text, published={"raw": FIRST_MOMENT})
    save_picture(picture, output / "figure6.png")
    write_csv(
        output / "figure6.csv",
        ("n", *moments),
        zip(counts.tolist(), *(values.tolist() for values in moments.values()), strict=True),
    )
    write_csv(output / "figure6-means.csv", list(table[0]), (row.values() for row in table))
    write_json(
        output / "figure6.json",
        experiment,
        patterns_per_class=patterns_per_count,
        block=block,
        unit="pixels",
        raw_means=table,
        absolute_as_coded={
            str(n): {
                "ours": float(moments[AS_CODED][counts == n].mean()),
                **({"published": ABSOLUTE[n]} if n in ABSOLUTE else {}),
            }
            for n in np.unique(counts).tolist()
        },
        root_mean_square_difference=float(
            np.sqrt(np.mean([row["difference"] ** 2 for row in table]))
        ),
        root_mean_square_in_standard_errors=float(np.sqrt(np.mean(deviations**2))),
    )

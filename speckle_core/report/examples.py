"""Patterns behind a confusion matrix: a few of each cell, small enough to stand in a page."""

from __future__ import annotations

import io
from collections.abc import Sequence

import attrs
import numpy as np

from speckle_core.analysis.evaluation import Evaluation
from speckle_core.contracts.arrays import FloatArray
from speckle_core.contracts.patterns import PatternSet
from speckle_core.report.blocks import data_uri

#: Patterns of a cell, pairs of misread ones, and pixels of a thumbnail's side, at most.
PER_CELL, MISREAD, SIDE = 3, 24, 96


@attrs.frozen(eq=False)
class Example:
    """One test pattern with its answer; `others` are the next probable numbers."""

    place: int
    truth: int
    read: int
    probability: float | None
    of_truth: float | None
    png: bytes

    @property
    def uri(self) -> str:
        """The picture itself."""
        return data_uri(self.png)

    @property
    def told(self) -> str:
        """The answer in words."""
        said = f"n = {self.truth}, read as {self.read}"
        if self.probability is None:
            return said
        said += f" with probability {self.probability:.3f}"
        if self.read != self.truth:
            said += f" ({self.of_truth:.3f} for {self.truth})"
        return said


@attrs.frozen(eq=False)
class Examples:
    """What a report shows of a classifier's answers.

    Parameters
    ----------
    cells : dict
        (true, predicted) → examples.
    pairs : sequence of (Example, Example or None)
        Misread patterns, the worst first, each beside a well-read one of the same n.
    misread : int
        How many there are, of which `pairs` may be a part.
    """

    cells: dict[tuple[int, int], list[Example]]
    pairs: Sequence[tuple[Example, Example | None]]
    misread: int


def collect(evaluation: Evaluation, patterns: PatternSet) -> Examples:
    """Return examples of an evaluation from the raw `patterns` that it is of, in its order.

    Raises
    ------
    DataError
        When a pattern cannot be read.
    """
    truths, reads = evaluation.labels, evaluation.predicted
    rates = evaluation.probabilities
    known: dict[int, Example] = {}

    def example(place: int) -> Example:
        if place not in known:
            row = place if evaluation.places is None else int(evaluation.places[place])
            truth, read = int(truths[place]), int(reads[place])
            png = thumbnail(patterns.raw([row])[0])
            if rates is None:
                known[place] = Example(row, truth, read, None, None, png)
            else:
                a, b = (
                    float(rates[place, column])
                    for column in np.searchsorted(evaluation.classes, (read, truth))
                )
                known[place] = Example(row, truth, read, a, b, png)
        return known[place]

    cells = {}
    for truth, read in np.unique(np.stack([truths, reads], axis=1), axis=0).tolist():
        own = np.flatnonzero((truths == truth) & (reads == read))[:PER_CELL]
        cells[truth, read] = [example(int(place)) for place in own]
    wrong = np.flatnonzero(reads != truths)
    worst = wrong[np.argsort(-np.abs(evaluation.errors[wrong]), kind="stable")][:MISREAD]
    pairs = []
    for place in worst.tolist():
        right = cells.get((int(truths[place]), int(truths[place])), [])
        pairs.append((example(place), right[0] if right else None))
    return Examples(cells, pairs, len(wrong))


def thumbnail(pattern: FloatArray, side: int = SIDE) -> bytes:
    """Return a raw pattern as a small PNG on a logarithmic scale of four decades."""
    from matplotlib import colormaps
    from matplotlib.image import imsave

    step = -(-max(pattern.shape) // side)
    rows, columns = (n // step for n in pattern.shape)
    cut = pattern[: rows * step, : columns * step].astype(np.float64)
    small = cut.reshape(rows, step, columns, step).mean(axis=(1, 3))
    top = float(np.nanpercentile(small, 99.5))
    scaled = np.log10(np.clip(small / (top if top > 0 else 1.0), 1e-4, 1.0)) / 4 + 1
    memory = io.BytesIO()
    imsave(
        memory,
        np.round(scaled * 63) / 63,
        cmap=colormaps["viridis"],
        vmin=0,
        vmax=1,
        origin="lower",
        format="png",
    )
    return memory.getvalue()

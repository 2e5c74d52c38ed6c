"""Figures of classification results: confusion matrix and accuracies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, RegularPolygon
from numpy.typing import ArrayLike

from speckle_core.contracts.arrays import IntArray
from speckle_core.figures.style import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    ON_PAPER,
    ORANGE,
    RED,
    in_style,
    new_figure,
    quiet_frame,
)

_SHADES = LinearSegmentedColormap.from_list("shades", ["#ffffff", "#c9dcec", "#5b93c4", "#1b4f83"])


@in_style
def confusion(matrix: ArrayLike, classes: ArrayLike) -> Figure:
    """Draw a confusion matrix with counts and error bands, like the paper's figure 5.

    Parameters
    ----------
    matrix : array of int, (C, C)
        Patterns by true class (rows) and predicted class (columns).
    classes : array of int, (C,)
        Class values, ascending; they need not be consecutive. A green line encloses the cells whose
        values differ by at most 1; a solid red circle marks errors of 2, a dashed orange diamond
        larger ones.
    """
    counts = np.asarray(matrix, dtype=np.int64)
    values = np.asarray(classes, dtype=np.int64)
    size = len(values)
    side = float(np.clip(0.31 * size + 0.8, 2.8, 13.0))
    figure = new_figure(side + 0.7, side + 1.1)
    axes = figure.add_subplot()
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap=_SHADES, norm=PowerNorm(0.5, vmin=0.0, vmax=1.0), label=ON_PAPER)
    _write_counts(axes, counts, share, points=72 * side / size)
    offset = np.abs(values[:, None] - values[None, :])
    axes.add_collection(
        LineCollection(_band(offset <= 1), colors=GREEN, linewidths=1.8, capstyle="projecting")
    )
    _ring_errors(axes, counts, offset)
    ticks: dict[str, Any] = {"labels": values, "fontsize": min(8.0, 0.55 * 72 * side / size)}
    axes.set_xticks(range(size), **ticks)
    axes.set_yticks(range(size), **ticks)
    axes.tick_params(length=0)
    axes.set_xlabel("predicted number of particles")
    axes.set_ylabel("true number of particles")
    figure.legend(
        handles=_legend(counts, offset), loc="outside lower center", ncols=3 if size > 12 else 1
    )
    return figure


def _write_counts(axes: Any, counts: IntArray, share: Any, *, points: float) -> None:
    """Write each count that is not 0 into its cell, `points` wide; white on dark cells."""
    digits = len(str(counts.max(initial=0)))
    fontsize = min(9.0, points * min(0.5, 1.15 / digits))
    for row, column in np.argwhere(counts):
        axes.text(
            column,
            row,
            str(counts[row, column]),
            ha="center",
            va="center",
            fontsize=fontsize,
            color="white" if share[row, column] > 0.42 else INK,
        )


def _band(inside: Any) -> list[list[tuple[float, float]]]:
    """Return the edges between cells inside and outside, as (x, y) pairs in cell coordinates."""
    upright = np.argwhere(inside[:, 1:] != inside[:, :-1])
    level = np.argwhere(inside[1:] != inside[:-1])
    return [[(j + 0.5, i - 0.5), (j + 0.5, i + 0.5)] for i, j in upright] + [
        [(j - 0.5, i + 0.5), (j + 0.5, i + 0.5)] for i, j in level
    ]


def _ring_errors(axes: Any, counts: IntArray, offset: IntArray) -> None:
    for row, column in np.argwhere((counts > 0) & (offset == 2)):
        axes.add_patch(Circle((column, row), 0.42, fill=False, edgecolor=RED, linewidth=1.5))
    for row, column in np.argwhere((counts > 0) & (offset > 2)):
        axes.add_patch(
            RegularPolygon(
                (column, row),
                4,
                radius=0.5,
                fill=False,
                edgecolor=ORANGE,
                linewidth=1.5,
                linestyle=(0, (3, 1)),
            )
        )


def _legend(counts: IntArray, offset: IntArray) -> list[Line2D]:
    """One entry per band, with the number of patterns in it."""
    two, more = int(counts[offset == 2].sum()), int(counts[offset > 2].sum())
    one = int(counts[offset == 1].sum())
    hollow: dict[str, Any] = {
        "linestyle": "",
        "markersize": 9,
        "markerfacecolor": "none",
        "markeredgewidth": 1.5,
    }
    return [
        Line2D([], [], color=GREEN, linewidth=1.8, label=f"within ±1 (off by 1: {one})"),
        Line2D([], [], marker="o", markeredgecolor=RED, label=f"off by 2: {two}", **hollow),
        Line2D([], [], marker="D", markeredgecolor=ORANGE, label=f"off by more: {more}", **hollow),
    ]


@in_style
def accuracy_bars(
    results: Mapping[str, tuple[float, float, float]],
    *,
    chance: float | None = None,
    network: bool = True,
) -> Figure:
    """Draw accuracies side by side, each with its interval.

    Parameters
    ----------
    results : mapping of str to (accuracy, low, high)
        Fractions.
    chance : float, optional
        Accuracy of a guess, drawn as a line.
    network : bool
        Whether the first is the network, and stands out.
    """
    figure = new_figure(4.8, 0.42 * len(results) + 0.9)
    axes = figure.add_subplot()
    for row, (accuracy, low, high) in enumerate(results.values()):
        axes.barh(
            row,
            accuracy,
            height=0.62,
            color=BLUE if network and row == 0 else "#c3ccd6",
            edgecolor=INK,
            linewidth=0.7,
        )
        axes.errorbar(
            accuracy,
            row,
            xerr=[[max(accuracy - low, 0.0)], [max(high - accuracy, 0.0)]],
            color=INK,
            capsize=3.5,
            linewidth=1.2,
        )
        axes.text(1.03, row, f"{accuracy:.3f}", va="center", transform=axes.get_yaxis_transform())
    axes.set_yticks(range(len(results)), labels=list(results))
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(0, 1)
    axes.set_xlabel("accuracy on the test set, with 95 % interval")
    if chance is not None:
        axes.axvline(chance, color=MUTED, linestyle=":", linewidth=1.2)
        axes.annotate(
            "chance",
            (chance, 1.0),
            xycoords=axes.get_xaxis_transform(),
            textcoords="offset points",
            xytext=(0, 2),
            ha="center",
            va="bottom",
            color=MUTED,
        )
    quiet_frame(axes)
    return figure

"""Accuracy over a value that a study varies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from speckle_core.figures.style import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    RED,
    in_style,
    new_figure,
    quiet_frame,
)

_COLORS = (BLUE, ORANGE, GREEN, RED, INK, MUTED)
_MARKERS = ("o", "s", "^", "D", "v", "P")
Share = tuple[float, float, float]


@in_style
def accuracy_curves(
    path: str, values: Sequence[Any], panels: Mapping[str, Mapping[str, Sequence[Share]]]
) -> Figure:
    """Draw accuracies with their intervals over the values of one option.

    Parameters
    ----------
    path : str
        The option, which names the axis.
    values : sequence
        Its values; a logarithmic axis is used for positive numbers over more than a factor of 30,
        and equal steps for anything but numbers.
    panels : mapping of str to mapping of str to sequence of (float, float, float)
        Title → classifier → accuracy and interval at each value; NaN leaves a gap.
    """
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    figure = new_figure(0.6 + 3.4 * columns + 1.4, 0.4 + 2.7 * rows)
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
    numeric = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)
    x = np.array(values, dtype=np.float64) if numeric else np.arange(len(values), dtype=np.float64)
    order = np.argsort(x)
    for axes in grid[len(panels) :]:
        axes.set_visible(False)
    for axes, (title, curves) in zip(grid, panels.items(), strict=False):
        for i, (name, shares) in enumerate(curves.items()):
            y, low, high = np.array(shares, dtype=np.float64).T[:, order]
            color = _COLORS[i % len(_COLORS)]
            marker = _MARKERS[i % len(_MARKERS)]
            axes.fill_between(x[order], low, high, color=color, alpha=0.15, linewidth=0)
            axes.plot(x[order], y, color=color, marker=marker, markersize=4, label=name)
        axes.set_title(title, loc="left", fontsize="small")
        axes.set_ylim(-0.02, 1.04)
        axes.grid(axis="y")
        quiet_frame(axes)
        if numeric and x.min() > 0 and x.max() > 30 * x.min():
            axes.set_xscale("log")
        if not numeric:
            axes.set_xticks(x, labels=[str(value)[:24] for value in values])
    for place in range(len(panels)):
        if place % columns == 0:
            grid[place].set_ylabel("accuracy")
        if place + columns >= len(panels):
            grid[place].set_xlabel(path)
            grid[place].tick_params(labelbottom=True)
    handles, labels = grid[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", handlelength=2.2)
    return figure

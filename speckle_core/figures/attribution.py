"""Figures of attribution against k, and deletion curves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from speckle_core.analysis.attribution import Analysis
from speckle_core.analysis.deletion import DeletionCurve
from speckle_core.figures.style import (
    BLUE,
    INK,
    MUTED,
    ORANGE,
    in_style,
    new_figure,
    panel_letter,
    quiet_frame,
)

_COLUMNS = 3


@in_style
def attribution_profiles(analysis: Analysis, classes: Sequence[int]) -> Figure:
    """Draw the attribution and the mean intensity of some classes against k.

    The filled profile is the azimuthal mean intensity on a log scale; the line is the azimuthal
    mean of the maps' density (1 for a flat map), the dashed line that of the network with random
    weights, the dotted vertical line the edge of the central lobe, and the faint lines further
    zeros of the form factor.

    Parameters
    ----------
    analysis : Analysis
        Of the maps of one explainer.
    classes : sequence of int
        The classes to draw, in this order.
    """
    columns = min(_COLUMNS, len(classes))
    rows = -(-len(classes) // columns)
    figure = new_figure(3.1 * columns + 0.5, 2.3 * rows + 0.5)
    panels = np.atleast_1d(figure.subplots(rows, columns, sharex=True, squeeze=False)).ravel()
    for place, (panel, value) in enumerate(zip(panels, classes, strict=False)):
        row = int(np.flatnonzero(analysis.classes == value)[0])
        intensity = analysis.intensity[row]
        lit = np.where(intensity > 0, intensity, np.nan)
        behind = panel.twinx()
        behind.set_yscale("log")
        behind.fill_between(analysis.k, lit, np.nanmin(lit), color="#e3e7ec", linewidth=0)
        behind.set_yticks([])
        behind.set_yticks([], minor=True)
        behind.spines[["top", "right"]].set_visible(False)
        panel.set_zorder(behind.get_zorder() + 1)
        panel.patch.set_visible(False)
        panel.plot(analysis.k, analysis.attribution[row], color=BLUE, linewidth=1.4, label="maps")
        if np.isfinite(analysis.control[row]).any():
            panel.plot(
                analysis.k,
                analysis.control[row],
                color=ORANGE,
                linestyle="--",
                linewidth=1.2,
                label="random weights",
            )
        if np.isfinite(analysis.edge[row]):
            panel.axvline(analysis.edge[row], color=INK, linestyle=":", linewidth=1.0)
        # The first zero is the edge.
        for zero in analysis.zeros[row, 1:]:
            if zero < analysis.k[-1]:
                panel.axvline(zero, color=MUTED, linestyle=":", linewidth=0.8)
        panel.axhline(1, color=MUTED, linewidth=0.6)
        panel.set_ylim(bottom=0)
        panel.set_xlim(0, analysis.k[-1])
        panel.set_title(f"{panel_letter(place)}  n = {value}", loc="left")
        quiet_frame(panel)
    for place, panel in enumerate(panels[len(classes) :], start=len(classes)):
        panel.set_visible(False)
        if place >= columns:
            panels[place - columns].tick_params(labelbottom=True)
    # Not every class has a control: Grad-CAM of random weights can be 0 everywhere.
    drawn = {h.get_label(): h for panel in panels for h in panel.get_legend_handles_labels()[0]}
    figure.legend(handles=[*drawn.values()], loc="outside upper right", ncols=2)
    figure.supxlabel("k (1 / unit of length)", fontsize=9)
    figure.supylabel("density of attribution (1 = even)", fontsize=9)
    return figure


@in_style
def deletion(curve: DeletionCurve) -> Figure:
    """Draw the accuracy as pixels are replaced: most attributed first, and in random order."""
    figure = new_figure(4.6, 3.0)
    axes = figure.add_subplot()
    axes.plot(
        100 * curve.fractions,
        curve.most_attributed,
        color=BLUE,
        marker="o",
        markersize=4,
        linewidth=1.4,
        label="most attributed first",
    )
    axes.plot(
        100 * curve.fractions,
        curve.random,
        color=ORANGE,
        marker="s",
        markerfacecolor="white",
        markersize=4,
        linestyle="--",
        linewidth=1.4,
        label="random pixels",
    )
    axes.set_xlabel("pixels replaced by their ring's mean (% of those read)")
    axes.set_ylabel("accuracy")
    axes.set_ylim(0, 1.03)
    axes.set_xlim(0, 100)
    axes.legend(loc="best")
    quiet_frame(axes)
    return figure

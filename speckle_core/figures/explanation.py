"""Figures of patterns with their maps and class probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from speckle_core.contracts.arrays import FloatArray
from speckle_core.contracts.grid import KGrid
from speckle_core.errors import DataError
from speckle_core.figures.k_space import (
    KX,
    KY,
    Block,
    draw_block,
    draw_pattern,
    extent,
    intensity_norm,
)
from speckle_core.figures.style import (
    BLUE,
    INK,
    in_style,
    new_figure,
    panel_letter,
    quiet_frame,
)


@in_style
def explanation_panel(
    pattern: FloatArray,
    explanation: FloatArray,
    probabilities: ArrayLike | None,
    classes: ArrayLike,
    *,
    grid: KGrid,
    target: int | None = None,
    truth: int | None = None,
    blocked: Block | None = None,
    zeros: ArrayLike = (),
    title: str = "",
) -> Figure:
    """Draw a pattern, its map, the map over the pattern, and the class probabilities.

    Parameters
    ----------
    pattern : array, (ny, nx)
        As the classifier saw it. Where preparation made it negative, its minimum is subtracted to
        show it on a log scale.
    explanation : array, (ny, nx)
        What an explainer gave; with a diverging scale about 0 if it holds negative values.
    probabilities, classes : array, (C,)
        The classifier's answer and the class values; None for one that reads a value, without
        whose panel the figure then is.
    grid : KGrid
        The grid of `pattern`.
    target : int, optional
        Class value that is explained, hatched among the probabilities.
    truth : int, optional
        The true class value, marked by a triangle.
    blocked : pair of slices, optional
        The pixels behind the beamstop.
    zeros : array, optional
        Zeros of the form factor [1/length], drawn as dotted rings.
    title : str
        Above the whole; such as the explainer's name.
    """
    names = [
        "pattern",
        "map",
        "map over pattern",
        *(["answer"] if probabilities is not None else []),
    ]
    figure = new_figure(2.8 * len(names), 3.7, "compressed")
    panels = figure.subplots(1, len(names))
    seen, explained, overlay = panels[:3]
    image = np.asarray(pattern, dtype=np.float64)
    image = image - min(float(np.nanmin(image)), 0.0)
    norm = intensity_norm([image], blocked)
    below: dict[str, Any] = {"location": "bottom", "shrink": 0.9, "pad": 0.02}
    shown = draw_pattern(seen, image, grid, norm, blocked)
    figure.colorbar(shown, ax=seen, label="intensity (arbitrary units)", extend="both", **below)
    scale = _map_scale(explanation)
    shown = explained.imshow(explanation, origin="lower", extent=extent(grid), **scale)
    figure.colorbar(shown, ax=explained, label="attribution (arbitrary units)", **below)
    _draw_overlay(overlay, image, explanation, grid, norm)
    for panel in (seen, explained, overlay):
        for k in np.asarray(zeros, dtype=np.float64):
            ring = {"fill": False, "edgecolor": INK, "linestyle": ":", "linewidth": 0.8}
            panel.add_patch(Circle((0.0, 0.0), float(k), **ring))
    for axes, name in zip(panels, names, strict=True):
        letter = panel_letter(list(panels).index(axes))
        axes.set_title(f"{letter}  {name}", loc="left")
    for axes in (seen, explained, overlay):
        axes.set_xlabel(KX)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10]))
        axes.tick_params(labelleft=axes is seen)
    for axes in (explained, overlay):
        draw_block(axes, grid, blocked)
    seen.set_ylabel(KY)
    if probabilities is not None:
        _draw_answer(panels[3], np.asarray(probabilities), np.asarray(classes), target, truth)
    if title:
        figure.suptitle(title)
    return figure


def _map_scale(explanation: FloatArray) -> dict[str, Any]:
    """Return colour map and range without outliers: from 0, or around 0 for signed maps."""
    limit = float(np.percentile(np.abs(explanation), 99.9)) or 1.0
    if explanation.min() < 0:
        return {"cmap": "PuOr_r", "norm": Normalize(-limit, limit)}
    return {"cmap": "magma", "norm": Normalize(0.0, limit)}


def _strength(explanation: FloatArray) -> FloatArray:
    """Return the opacity of each pixel of the map over the pattern, 0 to 0.85."""
    limit = float(np.percentile(np.abs(explanation), 99.9)) or 1.0
    return np.clip(np.abs(explanation) / limit, 0.0, 1.0) ** 0.7 * 0.85


def _draw_answer(
    axes: Any, probabilities: FloatArray, classes: FloatArray, target: int | None, truth: int | None
) -> None:
    """Draw one bar per class; the explained class is hatched, a triangle marks the true one."""
    places = np.arange(len(classes))
    axes.bar(places, probabilities, color=BLUE, edgecolor=INK, linewidth=0.5)
    if target is not None:
        explained = classes == target
        axes.bar(
            places[explained],
            probabilities[explained],
            color="#9cc7e4",
            edgecolor=INK,
            linewidth=0.5,
            hatch="////",
            label="explained class",
        )
    if truth is not None:
        at = places[classes == truth]
        axes.plot(at, [1.06] * len(at), marker="v", linestyle="", color=INK, label="true class")
    if target is not None or truth is not None:
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
    every = -(-len(classes) // 10)
    axes.set_xticks(places[::every], labels=classes[::every])
    axes.set_ylim(0.0, 1.1)
    axes.set_yticks([0, 0.5, 1])
    axes.set_xlabel("number of particles")
    axes.set_ylabel("probability")
    quiet_frame(axes)


@in_style
def map_page(
    patterns: FloatArray,
    maps: FloatArray,
    labels: ArrayLike,
    targets: ArrayLike,
    *,
    grid: KGrid,
    blocked: Block | None = None,
    title: str = "",
) -> Figure:
    """Draw many patterns, each with its map and an overlay, like the paper's SI pages.

    Every picture has its own scale; compare positions in k only.

    Parameters
    ----------
    patterns, maps : array, (B, ny, nx)
        As for `explanation_panel`, one triple of pictures each, two triples a row.
    labels, targets : array of int, (B,)
        True class, and the class that is explained; where they differ both are named.
    grid, blocked, title
        As for `explanation_panel`.

    Raises
    ------
    DataError
        For no pattern at all.
    """
    if not len(patterns):
        raise DataError("there are no maps to draw", where="map page")
    triples = min(2, len(patterns))
    rows = -(-len(patterns) // triples)
    figure = new_figure(3.9 * triples, 1.35 * rows + 0.7, "compressed")
    places = figure.add_gridspec(
        rows, 4 * triples - 1, width_ratios=([1, 1, 1, 0.15] * triples)[:-1]
    )
    truths, explained = np.asarray(labels), np.asarray(targets)
    for at, (seen, found) in enumerate(zip(patterns, maps, strict=True)):
        row, triple = divmod(at, triples)
        panels = [figure.add_subplot(places[row, 4 * triple + i]) for i in range(3)]
        image = np.asarray(seen, dtype=np.float64)
        image = image - min(float(np.nanmin(image)), 0.0)
        norm = intensity_norm([image], blocked)
        draw_pattern(panels[0], image, grid, norm, blocked)
        panels[1].imshow(found, origin="lower", extent=extent(grid), **_map_scale(found))
        _draw_overlay(panels[2], image, found, grid, norm)
        for axes in panels:
            axes.set_xticks([])
            axes.set_yticks([])
        read = "" if truths[at] == explained[at] else f", explained: {explained[at]}"
        panels[0].set_title(f"n = {truths[at]}{read}", loc="left")
        if row == 0:
            panels[1].set_title("map")
            panels[2].set_title("overlay")
    if title:
        figure.suptitle(title)
    return figure


def _draw_overlay(
    axes: Any, image: FloatArray, explanation: FloatArray, grid: KGrid, norm: LogNorm
) -> None:
    """Draw a map over its pattern in grey."""
    axes.imshow(
        np.clip(image, norm.vmin, None),
        origin="lower",
        extent=extent(grid),
        cmap="Greys_r",
        norm=LogNorm(norm.vmin, norm.vmax),
    )
    axes.imshow(
        explanation,
        origin="lower",
        extent=extent(grid),
        alpha=_strength(explanation),
        **_map_scale(explanation),
    )

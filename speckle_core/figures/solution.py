"""Figure of a solved pattern: measured, computed, their difference, and the bodies found."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from speckle_core.analysis.alignment import align
from speckle_core.contracts.arrays import FloatArray
from speckle_core.contracts.geometry import Configuration
from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.solution import Solution
from speckle_core.figures.k_space import KX, KY, draw_pattern, extent, intensity_norm
from speckle_core.figures.real_space import raster
from speckle_core.figures.style import (
    BLOCKED,
    BLUE,
    ON_PAPER,
    ORANGE,
    in_style,
    new_figure,
    panel_letter,
)

_FOUND = "#5aa5d6"
_PIXELS = 500
# Differences are shown against the root of the local intensity, as the fit weighs them.
_LIMIT = 99.5


@in_style
def solution_panel(
    pattern: FloatArray,
    solution: Solution,
    grid: KGrid,
    *,
    mask: NDArray[np.bool_] | None = None,
    truth: Configuration | None = None,
    title: str = "",
) -> Figure:
    """Draw a pattern, what the bodies found would give, the difference, and the bodies.

    Parameters
    ----------
    pattern : array, (ny, nx)
        What was solved, raw or standardized; the solution's offset is taken off.
    solution : Solution
        What was found.
    grid : KGrid
        The grid of `pattern`.
    mask : array of bool, (ny, nx), optional
        True where a pixel counted; the others are left grey where something was measured.
    truth : Configuration, optional
        The true bodies: drawn as outlines, the found ones laid over them by translation and
        inversion, which no pattern determines.
    title : str
        Above the whole.
    """
    counts = np.isfinite(pattern) if mask is None else mask & np.isfinite(pattern)
    measured = np.where(counts, np.asarray(pattern, dtype=np.float64) - solution.offset, np.nan)
    computed = solution.pattern(grid) - solution.offset
    figure = new_figure(12.4, 4.5, "compressed")
    panels = list(figure.subplots(1, 4))
    norm = intensity_norm([measured], None)
    below: dict[str, Any] = {"location": "bottom", "shrink": 0.9, "pad": 0.02}
    for axes, image, label in (
        (panels[0], measured, "intensity (arbitrary units)"),
        (panels[1], computed, "intensity (the same units)"),
    ):
        scale = LogNorm(norm.vmin, norm.vmax)
        shown = draw_pattern(axes, image, grid, scale, None)
        figure.colorbar(shown, ax=axes, label=label, extend="both", **below)
    _draw_difference(panels[2], measured, computed, grid, below)
    _draw_bodies(panels[3], solution.configuration, truth)
    names = ("measured", "computed", "difference", _named(solution, truth))
    for at, (axes, name) in enumerate(zip(panels, names, strict=True)):
        axes.set_title(f"{panel_letter(at)}  {name}", loc="left")
    for axes in panels[:3]:
        axes.set_xlabel(KX)
        axes.tick_params(labelleft=axes is panels[0])
    panels[0].set_ylabel(KY)
    if title:
        figure.suptitle(title)
    return figure


def _named(solution: Solution, truth: Configuration | None) -> str:
    said = f"n = {len(solution.configuration)}"
    if truth is not None:
        said += f" of {len(truth)}"
    if solution.explained and not solution.solved:
        return f"{said}, solved for r > {solution.faintest:.2g}"
    return f"{said}, {'solved' if solution.solved else 'not solved'}"


def _draw_difference(
    axes: Any, measured: FloatArray, computed: FloatArray, grid: KGrid, below: dict[str, Any]
) -> None:
    """Draw measured less computed amplitude, in units of the root mean square amplitude."""
    roots = np.sqrt(np.maximum(measured, 0)), np.sqrt(np.maximum(computed, 0))
    unit = float(np.sqrt(np.nanmean(roots[0] ** 2))) or 1.0
    difference = (roots[0] - roots[1]) / unit
    limit = float(np.nanpercentile(np.abs(difference), _LIMIT)) or 1e-16
    shown = axes.imshow(
        difference,
        origin="lower",
        extent=extent(grid),
        cmap="RdBu_r",
        norm=Normalize(-limit, limit),
    )
    axes.set_facecolor(BLOCKED)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10]))
    bar = axes.figure.colorbar(
        shown, ax=axes, label="difference of amplitudes (r.m.s. = 1)", **below
    )
    bar.set_ticks([-limit, 0, limit], labels=[f"{-limit:.1e}", "0", f"{limit:.1e}"])


def _draw_bodies(axes: Any, found: Configuration, truth: Configuration | None) -> None:
    """Draw the found bodies filled and the true ones as outlines, in the truth's place."""
    frame = found if truth is None else truth
    image = raster(found, _PIXELS) != 0
    sides = np.array([[0.0, found.box], [0.0, found.box]])
    if truth is not None:
        laid = align(found, truth)
        sides = laid.sign * sides + laid.shift[:, None]
    # An inverted structure is its picture turned about: the sides come in falling order.
    (left, right), (bottom, top) = sides
    if right < left:
        image, left, right, bottom, top = image[::-1, ::-1], right, left, top, bottom
    axes.imshow(
        np.where(image, 1.0, np.nan),
        origin="lower",
        extent=(left, right, bottom, top),
        cmap=_one_colour(_FOUND),
        interpolation="nearest",
        label=ON_PAPER,
    )
    handles: list[Any] = [Patch(facecolor=_FOUND, edgecolor=BLUE, label="found")]
    if truth is not None:
        along = (np.arange(_PIXELS) + 0.5) * truth.box / _PIXELS
        axes.contour(
            along, along, raster(truth, _PIXELS) != 0, levels=[0.5], colors=ORANGE, linewidths=1.3
        )
        handles.append(Line2D([], [], color=ORANGE, linewidth=1.1, label="true"))
    axes.set_xlim(0, frame.box)
    axes.set_ylim(0, frame.box)
    axes.set_aspect("equal")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10]))
    axes.set_xlabel("x (units of length)")
    axes.yaxis.tick_right()
    axes.yaxis.set_label_position("right")
    axes.set_ylabel("y (units of length)")
    axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)


def _one_colour(colour: str) -> Any:
    from matplotlib.colors import ListedColormap

    return ListedColormap([colour])

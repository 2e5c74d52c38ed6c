"""Figures of speckle patterns, and of configurations beside their patterns.

Intensities are shown on a log scale whose range excludes the zeros of the form factor, where a
computed intensity has no floor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from speckle_core.contracts.arrays import FloatArray
from speckle_core.contracts.geometry import Configuration
from speckle_core.contracts.grid import KGrid
from speckle_core.errors import DataError
from speckle_core.figures.real_space import draw_real_space
from speckle_core.figures.style import BLOCKED, in_style, new_figure, panel_letter

Block = tuple[slice, slice]

COLORMAP = "viridis"
KX = r"$k_x$ (1 / unit of length)"
KY = r"$k_y$ (1 / unit of length)"
INTENSITY = "speckle intensity (area²)"


@in_style
def pattern(
    intensity: FloatArray,
    grid: KGrid,
    *,
    blocked: Block | None = None,
    center: tuple[float, float] | None = None,
) -> Figure:
    """Draw one speckle pattern over k, on a log scale.

    Parameters
    ----------
    intensity : array, (ny, nx)
        Raw intensity [area²]; zeros take the lowest colour, NaN is left grey.
    grid : KGrid
        The grid it lies on.
    blocked : pair of slices, optional
        The pixels [y, x] behind the beamstop: drawn flat and hatched, and left out of the range.
    center : tuple of float, optional
        k = 0 as (y, x) [pixel], for a frame of any shape; of the grid only its step counts then.
    """
    figure = new_figure(4.9, 4.0, "compressed")
    axes = figure.add_subplot()
    edges = None
    if center is not None:
        (ny, nx), (y, x) = intensity.shape, center
        pixels = (-0.5 - x, nx - 0.5 - x, -0.5 - y, ny - 0.5 - y)
        edges = tuple(float(edge * grid.step) for edge in pixels)
    norm = intensity_norm([intensity], blocked)
    shown = draw_pattern(axes, intensity, grid, norm, blocked, edges)
    axes.set_xlabel(KX)
    axes.set_ylabel(KY)
    figure.colorbar(shown, ax=axes, label=INTENSITY, extend="both")
    return figure


@in_style
def gallery(
    items: Sequence[tuple[int, Configuration, FloatArray]],
    grid: KGrid,
    *,
    blocked: Block | None = None,
) -> Figure:
    """Draw real space beside k space for several systems, like the paper's figure 2.

    Parameters
    ----------
    items : sequence of (n, Configuration, array (ny, nx))
        Number of bodies, configuration and raw intensity [area²], in the order of panels.
    grid, blocked
        As for `pattern`. All patterns share one colour scale.

    Raises
    ------
    DataError
        For no item at all.
    """
    if not items:
        raise DataError("there are no systems to draw", where="gallery")
    pairs = 1 if len(items) == 1 else 2
    rows = -(-len(items) // pairs)
    figure = new_figure(4.7 * pairs, 2.2 * rows + 0.9, "compressed")
    # A narrow empty column keeps each pair together and apart from its neighbour.
    places = figure.add_gridspec(rows, 3 * pairs - 1, width_ratios=([1, 1, 0.25] * pairs)[:-1])
    norm = intensity_norm([image for _, _, image in items], blocked)
    for at, (count, configuration, image) in enumerate(items):
        row, pair = divmod(at, pairs)
        real = figure.add_subplot(places[row, 3 * pair])
        reciprocal = figure.add_subplot(places[row, 3 * pair + 1])
        draw_real_space(real, configuration)
        shown = draw_pattern(reciprocal, image, grid, norm, blocked)
        real.set_title(f"{panel_letter(at)}  n = {count}", loc="left")
        _label_outer(
            real,
            reciprocal,
            first=pair == 0,
            last=pair == pairs - 1,
            lowest=at + pairs >= len(items),
        )
    figure.colorbar(
        shown,
        ax=figure.axes,
        location="bottom",
        label=INTENSITY,
        extend="both",
        shrink=0.5,
        aspect=40,
    )
    return figure


def _label_outer(real: Any, reciprocal: Any, *, first: bool, last: bool, lowest: bool) -> None:
    """Label only the outer panels' axes, which are the same for all."""
    reciprocal.yaxis.tick_right()
    reciprocal.yaxis.set_label_position("right")
    for axes, label in ((real, "x (units of length)"), (reciprocal, KX)):
        axes.tick_params(labelbottom=lowest)
        axes.set_xlabel(label if lowest else "")
    real.tick_params(labelleft=first)
    real.set_ylabel("y (units of length)" if first else "")
    reciprocal.tick_params(labelright=last)
    reciprocal.set_ylabel(KY if last else "")


def draw_pattern(
    axes: Any,
    image: FloatArray,
    grid: KGrid,
    norm: LogNorm,
    blocked: Block | None,
    edges: tuple[float, ...] | None = None,
) -> Any:
    """Draw `image` on `axes` over k, the beamstop on top; return what a colour bar needs.

    `edges` are the outer edges of the pixels where they are not the grid's.
    """
    shown = axes.imshow(
        np.where(np.isnan(image), np.nan, np.clip(image, norm.vmin, None)),
        origin="lower",
        extent=edges or extent(grid),
        cmap=COLORMAP,
        norm=norm,
    )
    axes.set_facecolor(BLOCKED)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10]))
    draw_block(axes, grid, blocked)
    return shown


def draw_block(axes: Any, grid: KGrid, blocked: Block | None) -> None:
    """Cover the pixels behind the beamstop with a flat, hatched rectangle."""
    if blocked is None:
        return
    rows, columns = (grid.indices[side] for side in blocked)
    if not (rows.size and columns.size):
        return
    axes.add_patch(
        Rectangle(
            ((columns[0] - 0.5) * grid.step, (rows[0] - 0.5) * grid.step),
            columns.size * grid.step,
            rows.size * grid.step,
            facecolor=BLOCKED,
            edgecolor="white",
            linewidth=0.8,
            hatch="//////",
            label="beamstop",
        )
    )


def extent(grid: KGrid) -> tuple[float, float, float, float]:
    """Return the outer edges of the pixels (left, right, bottom, top) [1/length]."""
    low, high = grid.axis[0] - grid.step / 2, grid.axis[-1] + grid.step / 2
    return low, high, low, high


def intensity_norm(images: Sequence[FloatArray], blocked: Block | None) -> LogNorm:
    """Return a log scale for nearly all lit pixels of `images`, at least one decade wide.

    It runs from the 3rd to the 99.99th percentile, which excludes zeros of the form factor and hot
    pixels.
    """
    values = np.concatenate([_lit(image, blocked) for image in images])
    if not values.size:
        return LogNorm(0.1, 1.0)
    low, high = np.percentile(values, (3, 99.99))
    return LogNorm(min(low, high / 10), high)


def _lit(image: FloatArray, blocked: Block | None) -> NDArray[np.float64]:
    seen = np.array(image, dtype=np.float64)
    if blocked is not None:
        seen[blocked] = np.nan
    return seen[np.isfinite(seen) & (seen > 0)]

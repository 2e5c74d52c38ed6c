"""Figures of the bodies in the box.

Only `density` is used, inside the bounding circle, so any shape can be drawn.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from speckle_core.contracts.arrays import FloatArray
from speckle_core.contracts.geometry import Configuration, Particles
from speckle_core.figures.style import ON_PAPER, in_style, new_figure

_INK_ON_PAPER = LinearSegmentedColormap.from_list("ink", ["#ffffff", "#7f97ad", "#16324f"])
PIXELS = 1000


@in_style
def real_space(
    configuration: Configuration, axes: Axes | None = None, *, pixels: int = PIXELS
) -> Figure:
    """Draw the bodies of `configuration` in their box.

    Parameters
    ----------
    configuration : Configuration
        Bodies of any shapes; coordinates in the unit of length of the box.
    axes : matplotlib Axes, optional
        Where to draw; a figure of its own by default.
    pixels : int
        Points along each side at which densities are evaluated.

    Returns
    -------
    Figure
        The figure drawn on: Σ contrast × density, or its magnitude where a contrast is complex.
    """
    if axes is None:
        axes = new_figure(4.4, 4.0, "compressed").add_subplot()
    draw_real_space(axes, configuration, pixels, scale=True)
    axes.set_xlabel("x (units of length)")
    axes.set_ylabel("y (units of length)")
    figure = axes.get_figure(root=True)
    assert figure is not None
    return figure


def draw_real_space(
    axes: Any, configuration: Configuration, pixels: int = PIXELS, *, scale: bool = False
) -> None:
    """Draw the raster on `axes`; `scale` adds a colour bar where values differ."""
    image = raster(configuration, pixels)
    box = configuration.box
    low, high = float(min(image.min(), 0.0)), float(image.max())
    shown = axes.imshow(
        image,
        origin="lower",
        extent=(0.0, box, 0.0, box),
        cmap=_INK_ON_PAPER if low == 0 else "cividis",
        vmin=low,
        vmax=high if high > low else low + 1.0,
    )
    if low == 0 and not (scale and _differ(image)):
        shown.set_label(ON_PAPER)
    axes.set_aspect("equal")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10]))
    if scale and _differ(image):
        axes.get_figure(root=True).colorbar(shown, ax=axes, label="contrast × projected density")


def _differ(image: NDArray[np.float64]) -> bool:
    return bool(np.unique(image[image != 0]).size > 1)


def raster(configuration: Configuration, pixels: int) -> NDArray[np.float64]:
    """Return Σ contrast × density at pixel centres, (pixels, pixels) as [y, x].

    The real part, or the magnitude where any contrast has an imaginary part.
    """
    along = (np.arange(pixels) + 0.5) * (configuration.box / pixels)
    total = np.zeros((pixels, pixels), dtype=np.complex128)
    for particles in configuration.particles:
        for i in range(len(particles)):
            _add_body(total, particles, i, along)
    return np.abs(total) if total.imag.any() else total.real.copy()


def _add_body(
    total: NDArray[np.complex128], particles: Particles, i: int, along: FloatArray
) -> None:
    (cx, cy), radius = particles.centers[i], particles.bounding_radii[i]
    columns = slice(*np.searchsorted(along, (cx - radius, cx + radius)))
    rows = slice(*np.searchsorted(along, (cy - radius, cy + radius)))
    x, y = np.meshgrid(along[columns], along[rows])
    inside = np.hypot(x - cx, y - cy) <= radius
    window = total[rows, columns]
    window[inside] += particles.contrast[i] * particles.density(i, x[inside], y[inside])

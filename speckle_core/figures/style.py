"""The common style of all figures, and functions to create and save them.

Figures are made as `Figure` objects under matplotlib's defaults and `STYLE`, so neither a user's
matplotlibrc nor a backend changes them, and the same input gives the same bytes. Must not import
pyplot, which keeps figures alive and chooses a backend for the whole process.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import string
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, ParamSpec, TypeVar

import matplotlib
import matplotlib.image
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from numpy.typing import NDArray

from speckle_core.errors import OutputError
from speckle_core.files import write_bytes

DPI = 150

# Based on Okabe and Ito's palette, which is safe for colour-blind readers. What differs in colour
# also differs in lightness, dash or marker, for print in grey.
INK = "#1f2933"
MUTED = "#6b7785"
BLUE = "#0072b2"
ORANGE = "#d17f00"
GREEN = "#009e73"
RED = "#c1121f"
BLOCKED = "#8a8f98"

STYLE: Mapping[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": INK,
    "axes.grid": False,
    "axes.labelcolor": INK,
    "axes.labelsize": 9,
    "axes.linewidth": 0.7,
    "axes.titlesize": 9,
    "figure.facecolor": "white",
    "font.size": 9,
    "grid.color": "#dde2e8",
    "grid.linewidth": 0.6,
    "hatch.linewidth": 0.6,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "mathtext.fontset": "dejavusans",
    "pdf.fonttype": 42,
    "svg.hashsalt": "speckle-core",
    "text.color": INK,
    "xtick.color": INK,
    "xtick.labelsize": 9,
    "xtick.major.width": 0.7,
    "ytick.color": INK,
    "ytick.labelsize": 9,
    "ytick.major.width": 0.7,
}

#: Label of an image that is drawn as ink on paper, and turns over with the page.
ON_PAPER = "_on-paper"
#: Key of a PNG's text with the boxes of its images, which keep their colours on a dark page.
IMAGES = "speckle-images"
# Length of a colour bar's point as a share of the bar, with a little room.
_POINT = 0.06
# Only the date would make two files of the same figure differ.
Kind = Literal["png", "svg", "pdf"]
_METADATA: dict[Kind, dict[str, None]] = {
    "png": {},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
}

P = ParamSpec("P")
R = TypeVar("R")


@contextlib.contextmanager
def styled() -> Iterator[None]:
    """Apply the project's style within a block; the user's settings are restored."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def in_style(draw: Callable[P, R]) -> Callable[P, R]:
    """Decorate a drawing function to run in `styled`."""

    @functools.wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> R:
        with styled():
            return draw(*args, **kwargs)

    return drawn


def new_figure(
    width: float, height: float, layout: Literal["constrained", "compressed"] = "constrained"
) -> Figure:
    """Return an empty figure of `width` × `height` [inch] with automatic layout.

    "compressed" removes gaps between square images and matches the height of colour bars.
    """
    return Figure(figsize=(width, height), layout=layout)


def panel_letter(index: int) -> str:
    """Return the letter of panel `index`: (a) … (z), (aa) …, as journals count."""
    letters = ""
    index += 1
    while index:
        index, last = divmod(index - 1, 26)
        letters = string.ascii_lowercase[last] + letters
    return f"({letters})"


def quiet_frame(axes: Any) -> None:
    """Remove the upper and right side of the frame."""
    axes.spines[["top", "right"]].set_visible(False)


def encode(figure: Figure, kind: Kind = "png") -> bytes:
    """Return `figure` as a file of `kind`; equal figures give equal bytes."""
    buffer = io.BytesIO()
    if kind == "png":
        drawn, boxes = raster(figure)
        said = {IMAGES: json.dumps(boxes)}
        matplotlib.image.imsave(buffer, drawn, format="png", origin="upper", dpi=DPI, metadata=said)
    else:
        with styled():
            figure.savefig(buffer, format=kind, dpi=DPI, metadata=_METADATA[kind])
    return buffer.getvalue()


def raster(figure: Figure) -> tuple[NDArray[np.uint8], list[list[int]]]:
    """Return pixels (ny, nx, 4) of a figure, and the boxes of its images; see `_image_boxes`."""
    dpi, canvas = figure.dpi, figure.canvas
    figure.dpi = DPI
    try:
        with styled():
            drawn: Any = FigureCanvasAgg(figure)
            drawn.draw()  # once: savefig draws everything twice
            return np.asarray(drawn.buffer_rgba()), _image_boxes(figure)
    finally:
        figure.dpi = dpi
        figure.set_canvas(canvas)


def has_colours(axes: Any) -> bool:
    """Return whether axes hold an image or a colour bar that looks the same on every page."""
    drawn = [*axes.images, *(c for c in axes.collections if isinstance(c, QuadMesh))]
    return any(image.get_label() != ON_PAPER for image in drawn)


def _image_boxes(figure: Figure) -> list[list[int]]:
    """Return left, top, right and bottom [pixel] of what `has_colours`, as drawn.

    A fifth number says that white in the box is paper: beside the points of a colour bar.
    """
    height = round(figure.bbox.height)
    boxes = []

    def add(x0: float, y0: float, x1: float, y1: float, *paper: int) -> None:
        boxes.append([round(x0), height - round(y1), round(x1), height - round(y0), *paper])

    for axes in figure.axes:
        if has_colours(axes):
            x0, y0, x1, y1 = axes.get_window_extent().extents
            add(x0, y0, x1, y1)
            if not axes.images and x1 - x0 > y1 - y0:
                long = _POINT * (x1 - x0)
                add(x0 - long, y0, x0, y1, 1)
                add(x1, y0, x1 + long, y1, 1)
            elif not axes.images:
                long = _POINT * (y1 - y0)
                add(x0, y0 - long, x1, y0, 1)
                add(x0, y1, x1, y1 + long, 1)
    return boxes


def save(figure: Figure, path: Path | str) -> None:
    """Write `figure` to `path`, as PNG, SVG or PDF by its suffix, atomically.

    Raises
    ------
    OutputError
        For another suffix, or when the file cannot be written.
    """
    path = Path(path)
    for kind in _METADATA:
        if path.suffix.lower() == f".{kind}":
            return write_bytes(path, encode(figure, kind))
    raise OutputError(
        f"cannot write a figure as {path.suffix or 'a file without suffix'}",
        where=str(path),
        hint="End the name in .png, .svg or .pdf.",
    )

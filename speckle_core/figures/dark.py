"""The same figure for a dark page: ink becomes light, paper dark, data keep their colours."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.colors import ListedColormap, to_rgb, to_rgba
from matplotlib.figure import Figure
from numpy.typing import NDArray

from speckle_core.figures.style import BLUE, INK, MUTED, ON_PAPER, STYLE, has_colours

#: As in the report's style sheet.
PAPER, LIGHT, GREY, SKY, RULE = "#14191f", "#e4e7eb", "#a0abb6", "#56b4e9", "#39434e"
_SWAP = {
    to_rgba(old): new
    for old, new in (
        (INK, LIGHT),
        (MUTED, GREY),
        (BLUE, SKY),
        ("white", PAPER),
        ("black", LIGHT),
        (STYLE["grid.color"], RULE),
    )
}
_PAIRS = ("color", "facecolor", "edgecolor", "markeredgecolor", "markerfacecolor")


def darken(figure: Figure) -> Figure:
    """Recolour `figure` in place for a dark background and return it.

    Images, colour maps and the colours of data stay; only ink, muted ink, paper, the first colour
    of the palette and images that are drawn on paper change.
    """
    # What is written or drawn on an image stands before that image's colours, not the page's.
    kept = {
        id(artist)
        for axes in figure.axes
        if has_colours(axes)
        for artist in (*axes.texts, *axes.patches, *axes.lines, *axes.collections)
    }
    for artist in figure.findobj(lambda artist: id(artist) not in kept):
        for name in _PAIRS:
            _recolour(artist, name)
    for axes in figure.axes:
        for image in axes.images:
            if image.get_label() == ON_PAPER:
                colours = image.get_cmap()(np.linspace(0, 1, 256))
                image.set_cmap(ListedColormap(turned(colours[:, :3])))
        axes.tick_params(colors=LIGHT, which="both")
        for axis in (axes.xaxis, axes.yaxis):
            axis.label.set_color(LIGHT)
            axis.get_offset_text().set_color(LIGHT)
    return figure


def turned(colours: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return colours (…, 3) with lightness turned over (`PAPER` to `LIGHT`), hues kept."""
    paper, light = np.array(to_rgb(PAPER)), np.array(to_rgb(LIGHT))
    ends = colours.max(axis=-1, keepdims=True) + colours.min(axis=-1, keepdims=True)
    found: NDArray[np.floating] = paper + (colours + 1 - ends) * (light - paper)
    return found


def _recolour(artist: Any, name: str) -> None:
    get, put = getattr(artist, f"get_{name}", None), getattr(artist, f"set_{name}", None)
    if get is None or put is None:
        return
    try:
        old = get()
        new = _SWAP.get(to_rgba(old))
    except (ValueError, TypeError):
        return  # several colours, or none: those of data
    if new is not None:
        put((*to_rgba(new)[:3], to_rgba(old)[3]))

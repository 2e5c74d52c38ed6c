"""Extra sections of a report, with text, figures and tables."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence

import attrs


def data_uri(picture: bytes) -> str:
    """Return a PNG or WebP as a page can hold it: as WebP."""
    from PIL import Image

    from speckle_core.figures import webp

    if not webp.is_webp(picture):
        with Image.open(io.BytesIO(picture)) as opened:
            picture = webp.compact(opened)
    return "data:image/webp;base64," + base64.b64encode(picture).decode("ascii")


def aligned(values: Sequence[float | None]) -> list[str]:
    """Return the numbers of one column with equal decimals, a dash for None or NaN.

    The smallest keeps two significant digits, so that no column loses what it is there for.
    """
    known = [abs(v) for v in values if v is not None and math.isfinite(v) and v != 0]
    places = max(0, 1 - math.floor(math.log10(min(known)))) if known else 0
    places = min(places, 6)
    return ["–" if v is None or not math.isfinite(v) else f"{v:.{places}f}" for v in values]


@attrs.frozen(eq=False)
class Table:
    """A table of a section; the first cell of each row is a heading.

    Numbers stand on the right of their columns; with `prose` all cells are on the left.
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[object]]
    prose: bool = False


@attrs.frozen(eq=False)
class Section:
    """An extra section of a report.

    Parameters
    ----------
    title : str
        Its heading.
    text : str
        Plain text; an empty line starts a new paragraph.
    figures : sequence of (caption, bytes of a PNG or WebP)
        The caption is also the alternative text.
    tables : sequence of Table
        Tables, shown below the figures.
    """

    title: str
    text: str = ""
    figures: Sequence[tuple[str, bytes]] = ()
    tables: Sequence[Table] = ()

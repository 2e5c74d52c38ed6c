"""What other parts of the framework add to a report: sections with text, figures and tables."""

from __future__ import annotations

from collections.abc import Sequence

import attrs


@attrs.frozen(eq=False)
class Table:
    """A table of an extra section; the first cell of each row is its heading."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[object]]


@attrs.frozen(eq=False)
class Section:
    """What another part of the framework adds to a report.

    Parameters
    ----------
    title : str
        Its heading.
    text : str
        Plain text; an empty line begins a new paragraph.
    figures : sequence of (caption, PNG bytes)
        The caption also stands in for the picture where that cannot be seen.
    tables : sequence of Table
        Shown below the figures.
    """

    title: str
    text: str = ""
    figures: Sequence[tuple[str, bytes]] = ()
    tables: Sequence[Table] = ()

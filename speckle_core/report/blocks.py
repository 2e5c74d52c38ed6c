"""Extra sections of a report, with text, figures and tables."""

from __future__ import annotations

from collections.abc import Sequence

import attrs


@attrs.frozen(eq=False)
class Table:
    """A table of a section; the first cell of each row is a heading."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[object]]


@attrs.frozen(eq=False)
class Section:
    """An extra section of a report.

    Parameters
    ----------
    title : str
        Its heading.
    text : str
        Plain text; an empty line starts a new paragraph.
    figures : sequence of (caption, PNG bytes)
        The caption is also the alternative text.
    tables : sequence of Table
        Tables, shown below the figures.
    """

    title: str
    text: str = ""
    figures: Sequence[tuple[str, bytes]] = ()
    tables: Sequence[Table] = ()

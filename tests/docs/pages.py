"""Reads the documentation's Markdown as a program does: which blocks are there, and where."""

from __future__ import annotations

import re
from pathlib import Path

import attrs

DOCS = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(
    r"^```(?:\{code-block\} )?(?P<kind>\w+)\n(?::caption: (?P<file>\S+)\n\n?)?(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@attrs.frozen
class Block:
    """A block of code; `file` is where the reader is told to put it."""

    kind: str
    file: str | None
    text: str


def blocks(page: str) -> list[Block]:
    """Return the blocks of a page, in order."""
    text = (DOCS / page).read_text("utf-8")
    return [Block(b["kind"], b["file"], b["text"]) for b in _BLOCK.finditer(text)]


def pages_with(kind: str) -> list[str]:
    """Return the pages that hold blocks of a kind which no file is named for."""
    pages = sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md"))
    return [p for p in pages if any(b.kind == kind and b.file is None for b in blocks(p))]

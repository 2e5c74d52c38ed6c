"""Bounds on what an experiment's text may say, checked before anything is made of it.

Whatever passes here can be copied, printed and compared without care: it is not nested deep, has no
endless lists, no numbers beyond 64 bits, and no characters that a terminal or a file would obey.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from speckle_core.errors import ExperimentError
from speckle_core.notes import parse_toml

#: Largest text of an experiment that is read [bytes].
LARGEST = 2**20
_DEEPEST, _LONGEST_TEXT, _LONGEST_LIST = 32, 2**16, 10_000
_KEPT = frozenset("\n\t")


def read_source_text(path: Path) -> str:
    """Return the text of an experiment's file.

    Raises
    ------
    OSError, ValueError
        When it cannot be read, is not text, or is larger than an experiment can be.
    """
    # Also from a pipe, which has no size.
    with path.open("rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ValueError(f"it has more than the {LARGEST} bytes that are read")
    return data.decode()


def parse(text: str, where: str) -> dict[str, Any]:
    """Return the plain values of a TOML text; `where` is its file.

    Raises
    ------
    ExperimentError
        When it is not TOML, or goes beyond the bounds.
    """
    try:
        data = parse_toml(text)
    except ValueError as error:
        cause = str(error).partition(";")[0]
        raise ExperimentError(f"is not valid TOML: {cause}", where=where) from error
    check_plain(data, where)
    return data


def check_plain(data: Any, where: str, *, longest: int = _LONGEST_LIST) -> None:
    """Refuse plain values beyond the bounds, naming the first by its path.

    Parameters
    ----------
    data : nested dicts and lists
        As TOML or JSON gives them.
    where : str
        The file.
    longest : int
        The longest list that is allowed.

    Raises
    ------
    ExperimentError
        With the path of what is too deep, too long, too large, or not plain text.
    """
    todo: list[tuple[Any, str, int]] = [(data, "", 0)]
    while todo:
        value, path, depth = todo.pop()
        fault = _fault(value, depth, longest)
        if fault is not None:
            place = path if len(path) < 200 else f"{path[:200]}…"
            raise ExperimentError(fault, where=f"{where}: {place}" if place else where)
        if isinstance(value, dict):
            for key, below in value.items():
                todo.append((key, path, depth))
                todo.append((below, f"{path}.{key}" if path else str(key), depth + 1))
        elif isinstance(value, (list, tuple)):
            todo += [(below, f"{path}[{i}]", depth + 1) for i, below in enumerate(value)]


def _fault(value: Any, depth: int, longest: int) -> str | None:
    if isinstance(value, str):
        if len(value) > _LONGEST_TEXT:
            return f"has {len(value)} characters, more than {_LONGEST_TEXT}"
        if any(not (c.isprintable() or c in _KEPT) for c in value):
            return "contains control characters"
    elif isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            return "is beyond the 64 bits of a whole number"
    elif isinstance(value, (dict, list, tuple)):
        if depth > _DEEPEST:
            return f"is nested deeper than {_DEEPEST}"
        if len(value) > longest:
            return f"has {len(value)} entries, more than {longest}"
    return None

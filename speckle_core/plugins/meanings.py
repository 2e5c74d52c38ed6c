"""What each option of a component means, from the Parameters section of its docstring."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from itertools import zip_longest
from typing import Any

_HEAD = re.compile(r"^(?P<names>\w+(?:, \w+)*) *(?::|$)")


def meanings_of(factory: Callable[..., Any]) -> dict[str, str]:
    """Return the meaning of each option, with its unit, as numpydoc has it; {} without one.

    The sections of base classes count as well, since options are inherited.
    """
    found: dict[str, str] = {}
    for kind in reversed(inspect.getmro(factory) if inspect.isclass(factory) else (factory,)):
        found |= _parameters(inspect.cleandoc(kind.__doc__ or ""))
    return found


def _parameters(text: str) -> dict[str, str]:
    _, _, section = text.partition("Parameters\n----------\n")
    found: dict[str, str] = {}
    names: list[str] = []
    lines = section.splitlines()
    for line, following in zip_longest(lines, lines[1:], fillvalue=""):
        if following.startswith("---"):
            break  # the next section's title
        if line and not line.startswith(" "):
            head = _HEAD.match(line)
            names = head["names"].split(", ") if head else []
        elif line.strip():
            for name in names:
                found[name] = f"{found.get(name, '')} {line.strip()}".strip()
    return found

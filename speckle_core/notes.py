"""Small JSON or TOML files that describe the files beside them, with a checksum of their own.

The SHA-256 of the whole text, computed with zeros in its place, is one of the keys, so damage to
the record itself is detected, too. Reading limits the size of the text and leaves the meaning of
the keys to the caller.
"""

from __future__ import annotations

import hashlib
import json
import re
import stat
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tomli_w

from speckle_core.files import is_leftover, require_regular, write_text

#: Default limit on the size of a text [bytes].
LARGEST = 2**24
_KEY = "checksum"
_BLANK = f"sha256:{'0' * 64}"
_SEAL = re.compile(r'^ *"?checksum"? ?[:=] "(sha256:[0-9a-f]{64})"', re.MULTILINE)
_PIECE = 2**20
_MOST_DOTS = 200
_BREAKS = str.maketrans("=,{}#", "\n" * 5)


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write `data` as JSON with a checksum to `path` atomically."""
    text = json.dumps({_KEY: _BLANK, **data}, indent=1, allow_nan=False) + "\n"
    write_text(path, _seal(text))


def write_toml(path: Path, data: Mapping[str, Any]) -> None:
    """Write `data` as TOML with a checksum to `path` atomically."""
    write_text(path, _seal(tomli_w.dumps({_KEY: _BLANK, **data})))


def read_json(path: Path, *, largest: int = LARGEST, sealed: bool = True) -> dict[str, Any]:
    """Return what `write_json` wrote, or a JSON table without a checksum.

    Without `sealed`, a wrong checksum is ignored.

    Raises
    ------
    OSError
        When the file is missing or cannot be read.
    ValueError
        When it is too large, not a file, not JSON, nested too deep, or has a wrong checksum.
    """
    text = read_text(path, largest=largest)
    try:
        data = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    return _check_seal(text, data, sealed)


def read_toml(path: Path, *, largest: int = LARGEST) -> dict[str, Any]:
    """Return what `write_toml` wrote, or a TOML file without a checksum; errors as `read_json`."""
    text = read_text(path, largest=largest)
    return _check_seal(text, parse_toml(text))


def parse_toml(text: str) -> dict[str, Any]:
    """Return the contents of a TOML text.

    Raises
    ------
    ValueError
        When it is not valid TOML, or nested too deep.
    """
    # The parser takes minutes for a key with ten thousand dots.
    if any(part.count(".") > _MOST_DOTS for part in text.translate(_BREAKS).split("\n")):
        raise ValueError(f"a key has more than {_MOST_DOTS} dots")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def read_text(path: Path, *, largest: int = LARGEST) -> str:
    """Return the text of a regular file of at most `largest` bytes; errors as `read_json`."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise ValueError("it is not a regular file")
    if found.st_size > largest:
        raise ValueError(f"it has {found.st_size} bytes, more than the limit of {largest}")
    with path.open("rb") as file:
        return file.read(largest + 1).decode()


def digest(path: Path) -> str:
    """Return the SHA-256 of a regular file in hexadecimal; `OSError` if it cannot be read."""
    require_regular(path)
    found = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            found.update(piece)
    return found.hexdigest()


def digests(folder: Path, parts: Iterable[str]) -> dict[str, str]:
    """Return the SHA-256 of every file at or below `parts` of `folder`, by path with slashes.

    What an interrupted command left behind is not listed.
    """
    found: dict[str, str] = {}
    for part in parts:
        root = folder / part
        inside = sorted(p for p in root.rglob("*") if p.is_file() and not is_leftover(p))
        files = [root] if root.is_file() else inside
        found |= {path.relative_to(folder).as_posix(): digest(path) for path in files}
    return found


def find_damage(folder: Path, recorded: Mapping[str, str]) -> dict[str, str]:
    """Return the faults of the files in `folder` with `recorded` SHA-256, by path."""
    found: dict[str, str] = {}
    home = folder.resolve()
    for name, sha256 in recorded.items():
        path = folder / name
        if not path.resolve().is_relative_to(home):
            found[name] = "is a link out of the folder"
        elif not path.is_file():
            found[name] = "is missing"
        else:
            try:
                if digest(path) != sha256:
                    found[name] = "has changed since it was written (its SHA-256 differs)"
            except OSError as error:
                found[name] = f"cannot be read: {error.strerror or error}"
    return found


def _seal(text: str) -> str:
    return text.replace(_BLANK, _sum(text), 1)


def _sum(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _check_seal(text: str, data: Any, sealed: bool = True) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise ValueError("it is not a table of keys")
    stated = data.pop(_KEY, None)
    if sealed and stated is not None:
        places = [match for match in _SEAL.finditer(text) if match[1] == stated]
        start, end = places[0].span(1) if len(places) == 1 else (0, 0)
        if not end or _sum(text[:start] + _BLANK + text[end:]) != stated:
            raise ValueError("it was changed after it was written (its SHA-256 differs)")
    return data

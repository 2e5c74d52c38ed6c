"""Files that appear under their final name whole or not at all.

Bytes go to a temporary name beside the target, reach the disk, and are then renamed; a kill or a
full disk leaves at most a temporary file, which `sweep` removes. Nothing here knows what the bytes
mean.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from speckle_core.errors import OutputError

_PREFIX = ".unfinished-"


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path`, whole or not at all; an old file is replaced.

    Raises
    ------
    OutputError
        When the disk is full or the place cannot be written; `path` is then as it was before.
    """
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=_PREFIX, dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), 0o644)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        raise OutputError(
            f"cannot be written: {error.strerror or error}",
            where=str(path),
            hint="Free some space or choose another place, then run the same command again.",
        ) from error


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 to `path`, whole or not at all."""
    write_bytes(path, text.encode())


def make_folder(folder: Path) -> Path:
    """Return `folder`, made with its parents if it was not there.

    Raises
    ------
    OutputError
        When something that is no folder is in the way, or it may not be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"no folder can be made here: {error.strerror or error}", where=str(folder)
        ) from error
    return folder


def is_leftover(path: Path) -> bool:
    """Say whether `path` is what an interrupted write left."""
    return path.name.startswith(_PREFIX)


def empty(folder: Path) -> bool:
    """Say whether `folder` is not there yet, or holds at most what interrupted writes left."""
    if not folder.exists():
        return True
    return folder.is_dir() and all(is_leftover(entry) for entry in folder.iterdir())


def sweep(folder: Path) -> None:
    """Remove what interrupted writes left in `folder`."""
    for left in folder.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            left.unlink()

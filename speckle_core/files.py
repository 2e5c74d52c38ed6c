"""Atomic file writes: a file appears under its final name complete or not at all.

Bytes go to a temporary file beside the target, are flushed to disk, and the file is then renamed.
A kill or a full disk leaves at most a temporary file, which `sweep` removes.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from speckle_core.errors import OutputError

_PREFIX = ".unfinished-"


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` atomically; an existing file is replaced.

    Raises
    ------
    OutputError
        When the disk is full or `path` is not writable; an existing file is then left unchanged.
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
    """Write `text` as UTF-8 to `path` atomically."""
    write_bytes(path, text.encode())


def make_folder(folder: Path) -> Path:
    """Create `folder` and its parents if needed, and return it.

    Raises
    ------
    OutputError
        When a file is in the way or permission is missing.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot create this folder: {error.strerror or error}", where=str(folder)
        ) from error
    return folder


def is_leftover(path: Path) -> bool:
    """Return whether `path` is a temporary file of an interrupted write."""
    return path.name.startswith(_PREFIX)


def empty(folder: Path) -> bool:
    """Return whether `folder` does not exist or contains only files of interrupted writes."""
    if not folder.exists():
        return True
    return folder.is_dir() and all(is_leftover(entry) for entry in folder.iterdir())


def sweep(folder: Path) -> None:
    """Remove the temporary files of interrupted writes from `folder`."""
    for left in folder.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            left.unlink()

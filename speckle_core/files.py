"""Atomic writes: files and folders appear under their final name complete or not at all.

Bytes go to a temporary file beside the target, are flushed to disk, and the file is then renamed.
A kill or a full disk leaves at most something temporary, which `sweep` removes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from speckle_core.errors import OutputError

#: The file that says which process is at work in a folder; see `speckle_core.locks`.
LOCK = ".speckle-lock"
_PREFIX = ".unfinished-"
_AGAIN = "Free some space or choose another place, then run the same command again."


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path`, whole or not at all; an old file, or a link, is replaced.

    Raises
    ------
    OutputError
        When the disk is full or `path` is not writable; an existing file is then left unchanged.
    """
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=_PREFIX, dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            if hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), 0o644)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        if not isinstance(error, OSError):
            raise
        raise OutputError(
            f"cannot be written: {error.strerror or error}", where=str(path), hint=_AGAIN
        ) from error


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 to `path` atomically."""
    write_bytes(path, text.encode())


def make_folder(folder: Path, *, within: Path | None = None) -> Path:
    """Return `folder`, made with its parents if it was not there.

    Parameters
    ----------
    folder : Path
        The folder to make.
    within : Path, optional
        A folder above it that nothing may leave: no folder on the way down may be a link.

    Raises
    ------
    OutputError
        When something other than a folder is in the way, or it may not be made.
    """
    if within is not None:
        check_inside(folder, within)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot create this folder: {error.strerror or error}", where=str(folder)
        ) from error
    return folder


def check_inside(path: Path, home: Path) -> None:
    """Raise `OutputError` when `path`, below the folder `home`, is a link or lies behind one."""
    for part in (path, *path.parents):
        if part == home:
            return
        if part.is_symlink():
            raise OutputError(
                "is a link, and nothing is written through it",
                where=str(part),
                hint="Replace it by what it leads to.",
            )


@contextlib.contextmanager
def replaced_folder(target: Path) -> Iterator[Path]:
    """Give a new folder to write in, which takes the name `target` when the block ends well.

    What `target` was before is then gone. After an error nothing of the new folder is left; what a
    kill leaves, the next call for the same target removes.

    Raises
    ------
    OutputError
        When `target` is a file or a link, or cannot be written.
    """
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise OutputError("is not a folder", where=str(target))
    beside = f"{_PREFIX}{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:12]}-"
    temporary: Path | None = None
    try:
        for left in target.parent.glob(f"{beside}*"):
            _remove(left)
        temporary = Path(tempfile.mkdtemp(prefix=beside, dir=target.parent))
        temporary.chmod(0o755)
        yield temporary
        if target.exists():
            shutil.rmtree(target)
        os.replace(temporary, target)
    except OSError as error:
        raise OutputError(
            f"cannot be written: {error.strerror or error}", where=str(target), hint=_AGAIN
        ) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def is_leftover(path: Path) -> bool:
    """Return whether `path` is what an interrupted command left, or the mark of one at work."""
    return path.name.startswith(_PREFIX) or path.name == LOCK


def empty(folder: Path) -> bool:
    """Return whether `folder` does not exist or contains only files of interrupted writes."""
    if not folder.exists():
        return True
    return folder.is_dir() and all(is_leftover(entry) for entry in folder.iterdir())


def sweep(folder: Path) -> None:
    """Remove what interrupted writes left in `folder`, which nobody else may be writing in."""
    for left in folder.glob(f"{_PREFIX}*"):
        _remove(left)


def clear(folder: Path, *, keep: tuple[str, ...] = ()) -> None:
    """Remove all that is in `folder`, but for the names to `keep` and the mark of this process.

    Links are removed, and not what they lead to.

    Raises
    ------
    OutputError
        When something cannot be removed.
    """
    for entry in folder.iterdir():
        if entry.name == LOCK or entry.name in keep:
            continue
        try:
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        except OSError as error:
            raise OutputError(
                f"cannot be removed: {error.strerror or error}", where=str(entry)
            ) from error


def _remove(left: Path) -> None:
    """Remove a temporary file or folder, if that is possible."""
    with contextlib.suppress(OSError):
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink()


def inside_run(path: Path, part: str, mark: str) -> Path:
    """Return the folder `part` of a run where `path` is a run's, else `path` itself.

    `mark` is the file that such a folder always holds.
    """
    inner = path / part
    return inner if not (path / mark).exists() and (inner / mark).exists() else path

"""Atomic writes: files and folders appear under their final name complete or not at all.

Bytes go to a temporary file beside the target, are flushed to disk, and the file is then renamed.
A kill or a full disk leaves at most a temporary file, which `sweep` removes.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from speckle_core.errors import ModelError, OutputError

#: The file that records which process is writing to a folder; see `speckle_core.locks`.
LOCK = ".speckle-lock"
_PREFIX = ".unfinished-"
_LARGEST_HEADER = 2**20
_AGAIN = "Free some space or choose another place, then run the same command again."


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` atomically; an old file, or a link, is replaced.

    Raises
    ------
    OutputError
        When the disk is full or `path` is not writable; an existing file is then left unchanged.
    """
    write_pieces(path, [data])


def write_pieces(path: Path, pieces: Iterable[bytes | memoryview]) -> None:
    """Write `pieces`, one after the other, to `path` atomically, as `write_bytes` does.

    Raises
    ------
    OutputError
        When the disk is full or `path` is not writable; an existing file is then left unchanged.
    """
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=_beside(path), dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            if hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), 0o644)
            for piece in pieces:
                file.write(piece)
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


def require_regular(path: Path) -> None:
    """Raise `OSError` unless `path` is a regular file: a pipe would wait, a device never end."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "is not a regular file", str(path))


def check_safetensors(path: Path, largest: int) -> None:
    """Check the size of a safetensors file and of its header before they are read.

    Parameters
    ----------
    path : Path
        The file.
    largest : int
        Limit on the size of all its arrays together [bytes].

    Raises
    ------
    ModelError
        When the file is missing, or has more bytes, or a header of more than 1 MiB: an honest one
        has about 100 bytes for each array.
    """
    try:
        require_regular(path)
        with path.open("rb") as file:
            stored, header = os.fstat(file.fileno()).st_size, int.from_bytes(file.read(8), "little")
    except FileNotFoundError:
        raise ModelError("the file is missing", where=str(path)) from None
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror or error}", where=str(path)) from error
    if stored > largest + _LARGEST_HEADER:
        raise ModelError(
            f"the file has {stored} bytes, more than the limit of {largest}", where=str(path)
        )
    if header > _LARGEST_HEADER:
        raise ModelError(
            "the file is damaged or not a safetensors file: "
            f"it declares a header of {header} bytes",
            where=str(path),
        )


def make_folder(folder: Path, *, within: Path | None = None) -> Path:
    """Return `folder`, created with its parents if necessary.

    Parameters
    ----------
    folder : Path
        The folder to create.
    within : Path, optional
        A parent folder; no folder between it and `folder` may be a link.

    Raises
    ------
    OutputError
        When something other than a folder is in the way, or permission is denied.
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
    """Raise `OutputError` when `path`, or a folder between it and `home`, is a link."""
    for part in (path, *path.parents):
        if part == home:
            return
        if part.is_symlink():
            raise OutputError(
                "is a link, and speckle does not write through links",
                where=str(part),
                hint="Replace it with its target.",
            )


@contextlib.contextmanager
def replaced_folder(target: Path) -> Iterator[Path]:
    """Provide a new folder to write to; it replaces `target` when the block succeeds.

    After an error the new folder is removed; leftovers of a killed process are removed by the next
    call for the same target.

    Raises
    ------
    OutputError
        When `target` is a file or a link, or cannot be written.
    """
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise OutputError("is not a folder", where=str(target))
    temporary: Path | None = None
    try:
        sweep_beside(target)
        temporary = Path(tempfile.mkdtemp(prefix=_beside(target), dir=target.parent))
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


def remove_folder(folder: Path) -> None:
    """Remove `folder` with what is in it, if possible; when killed, nothing keeps its name.

    What is left then, `sweep` removes. A link is not followed.
    """
    with contextlib.suppress(OSError):
        beside = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=folder.parent))
        with contextlib.suppress(OSError):
            os.replace(folder, beside / folder.name)
        shutil.rmtree(beside, ignore_errors=True)


def is_leftover(path: Path) -> bool:
    """Return whether `path` is left by an interrupted command, or the lock of a running one."""
    return path.name.startswith(_PREFIX) or path.name == LOCK


def empty(folder: Path) -> bool:
    """Return whether `folder` does not exist or contains only files of interrupted writes."""
    if not folder.exists():
        return True
    return folder.is_dir() and all(is_leftover(entry) for entry in folder.iterdir())


def sweep(folder: Path) -> None:
    """Remove leftovers of interrupted writes in `folder`; nobody else may be writing there."""
    for left in folder.glob(f"{_PREFIX}*"):
        _remove(left)


def sweep_beside(target: Path) -> None:
    """Remove what interrupted writes of `target` left beside it; nobody else may be writing it."""
    for left in target.parent.glob(f"{_beside(target)}*"):
        _remove(left)


def _beside(target: Path) -> str:
    """Return how the names of what is written for `target` begin."""
    return f"{_PREFIX}{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:12]}-"


def clear(folder: Path, *, keep: tuple[str, ...] = ()) -> None:
    """Remove the contents of `folder`, except the names in `keep` and the lock of this process.

    Links are removed, not their targets.

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
    """Remove a temporary file or folder if possible."""
    with contextlib.suppress(OSError):
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink()


def inside_run(path: Path, part: str, mark: str) -> Path:
    """Return the folder `part` of `path` if `path` is a run folder, else `path` itself.

    `mark` is a file that every such folder contains.
    """
    inner = path / part
    return inner if not (path / mark).exists() and (inner / mark).exists() else path

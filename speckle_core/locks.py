"""Lock a folder so that one process at a time writes to it.

This is an operating-system lock on a file in the folder, so it ends with its process, however that
ends, and on network file systems with the lease of its machine. On a file system without locks the
record in the file decides: a holder on this machine that has ended is ignored, and one on another
machine is assumed to be running.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from speckle_core.errors import OutputError
from speckle_core.files import LOCK

_LONGEST = 4096
_held: set[IO[bytes]] = set()


class BusyError(OutputError):
    """Another process has the lock."""


@contextlib.contextmanager
def lock_folder(folder: Path, doing: str) -> Iterator[None]:
    """Lock the existing `folder` against other processes that write to it.

    Parameters
    ----------
    folder : Path
        The folder to lock.
    doing : str
        What this process does, for the message that others get, such as ``"train"``.

    Raises
    ------
    BusyError
        When another process has the lock; the message says which, where and since when.
    OutputError
        When the folder is not writable.
    """
    path = folder / LOCK
    try:
        file = _open_locked(path)
    except OSError as error:
        raise OutputError(
            f"cannot be written: {error.strerror or error}", where=str(folder)
        ) from error
    _held.add(file)
    try:
        _write_holder(file, path, doing)
        yield
    finally:
        # Remove it while still locked, so that no other process can have started to use it.
        with contextlib.suppress(OSError):
            path.unlink()
        _held.discard(file)
        file.close()


def remove_stale_lock(folder: Path) -> None:
    """Remove the lock file that a killed process left in a finished folder."""
    if (folder / LOCK).is_file():
        with contextlib.suppress(OutputError), lock_folder(folder, "clean up"):
            pass


def _open_locked(path: Path) -> IO[bytes]:
    """Open and lock the file at `path`."""
    import portalocker

    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    at_once = portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING
    while True:
        file = os.fdopen(os.open(path, flags, 0o644), "r+b", buffering=0)
        try:
            portalocker.lock(file, at_once)
        except portalocker.AlreadyLocked:
            raise _busy_error(path, _read_holder(file), file) from None
        except portalocker.LockException:  # a file system without locks
            holder = _read_holder(file)
            if holder and not _has_ended(holder):
                raise _busy_error(path, holder, file) from None
            return file
        except BaseException:
            file.close()
            raise
        # The previous holder may have removed the file between opening and locking.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        file.close()


def _write_holder(file: IO[bytes], path: Path, doing: str) -> None:
    since = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
    text = json.dumps(
        {"host": socket.gethostname(), "process": os.getpid(), "since": since, "doing": doing}
    )
    try:
        file.truncate(0)
        file.write(text.encode() + b"\n")
    except OSError as error:
        raise OutputError(
            f"cannot be written: {error.strerror or error}", where=str(path.parent)
        ) from error


def _read_holder(file: IO[bytes]) -> dict[str, Any]:
    """Return the record of the lock's holder; empty if it is not written yet."""
    try:
        found = json.loads(file.read(_LONGEST))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _has_ended(holder: dict[str, Any]) -> bool:
    """Return whether the holder is a process of this machine that has ended."""
    number = holder.get("process")
    if holder.get("host") != socket.gethostname() or type(number) is not int or number < 1:
        return False
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _busy_error(path: Path, holder: dict[str, Any], file: IO[bytes]) -> BusyError:
    file.close()
    who = "another process"
    if holder:
        number, host, since, doing = (
            "".join(c for c in str(holder.get(key, "?"))[:80] if c.isprintable())
            for key in ("process", "host", "since", "doing")
        )
        who += f" ({number} on {host}, speckle {doing}, since {since})"
    return BusyError(
        f"{who} is writing to it",
        where=str(path.parent),
        hint="Wait for it to finish, or stop it and run this again. "
        f"If it ended long ago, remove {path}.",
    )


def _close_in_child() -> None:
    """Close lock files in a forked child, which would otherwise keep them after the parent ends."""
    while _held:
        _held.pop().close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_in_child)

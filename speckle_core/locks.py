"""One process at a time in a folder, and who it is.

The lock is one of the operating system's on a file in the folder, so it ends with its process,
however that ends, and on network file systems with the lease of its machine. Where a file system
has no locks, what the file says of its writer is all there is: a writer on this machine that is
gone is passed over, and one elsewhere is believed.
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


@contextlib.contextmanager
def alone(folder: Path, doing: str) -> Iterator[None]:
    """Hold `folder`, which is there, against other processes that would write in it.

    Parameters
    ----------
    folder : Path
        What is held.
    doing : str
        What this process does in it, for others to read: ``"train"``.

    Raises
    ------
    OutputError
        When another process holds it (which one, where, and since when), or it cannot be written.
    """
    path = folder / LOCK
    try:
        file = _taken(path)
    except OSError as error:
        raise OutputError(
            f"cannot be written: {error.strerror or error}", where=str(folder)
        ) from error
    _held.add(file)
    try:
        _sign(file, path, doing)
        yield
    finally:
        # Under the lock, so that no other process can have begun to rely on it.
        with contextlib.suppress(OSError):
            path.unlink()
        _held.discard(file)
        file.close()


def release(folder: Path) -> None:
    """Remove the lock that a killed process left in a folder where nothing is left to do."""
    if (folder / LOCK).is_file():
        with contextlib.suppress(OutputError), alone(folder, "clean up"):
            pass


def _taken(path: Path) -> IO[bytes]:
    """Return the file at `path`, locked by this process."""
    import portalocker

    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    at_once = portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING
    while True:
        file = os.fdopen(os.open(path, flags, 0o644), "r+b", buffering=0)
        try:
            portalocker.lock(file, at_once)
        except portalocker.AlreadyLocked:
            raise _busy(path, _signature(file), file) from None
        except portalocker.LockException:  # a file system without locks
            holder = _signature(file)
            if holder and not _gone(holder):
                raise _busy(path, holder, file) from None
            return file
        except BaseException:
            file.close()
            raise
        # The last holder may have removed the file after it was opened here.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        file.close()


def _sign(file: IO[bytes], path: Path, doing: str) -> None:
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


def _signature(file: IO[bytes]) -> dict[str, Any]:
    """Return what the holder wrote of itself; nothing if it has not come to that yet."""
    try:
        found = json.loads(file.read(_LONGEST))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _gone(holder: dict[str, Any]) -> bool:
    """Say whether the holder was a process of this machine that has ended."""
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


def _busy(path: Path, holder: dict[str, Any], file: IO[bytes]) -> OutputError:
    file.close()
    who = "another process"
    if holder:
        number, host, since, doing = (
            "".join(c for c in str(holder.get(key, "?"))[:80] if c.isprintable())
            for key in ("process", "host", "since", "doing")
        )
        who += f" ({number} on {host}, speckle {doing}, since {since})"
    return OutputError(
        f"{who} is at work in it",
        where=str(path.parent),
        hint="Wait until it is done, or end it and run this again. "
        f"If it has ended long ago, remove {path}.",
    )


def _close_in_child() -> None:
    """Let go of locks in a forked child, which would hold them beyond the parent's end."""
    while _held:
        _held.pop().close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_in_child)

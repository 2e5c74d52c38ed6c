"""`manifest.journal`: records of finished shards that the manifest does not contain yet.

Each is appended as one line, so recording a shard takes the same time however many there are. Every
line has its own checksum: one that was cut off by a crash is skipped, and its shard is made again.
When all shards are finished, the records move to the manifest and the journal is removed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from speckle_core.errors import OutputError

NAME = "manifest.journal"
_CHECKED = 16
_LONGEST = 1024


class Journal:
    """The journal of a locked data set folder, open for appending from the first record on."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._file: IO[bytes] | None = None
        self._synced = -math.inf

    def add(self, record: dict[str, Any]) -> None:
        """Append a record, which then outlives this process, and within a second the machine.

        Raises
        ------
        OutputError
            When the disk is full or the file cannot be written.
        """
        try:
            if self._file is None:
                flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
                self._file = os.fdopen(os.open(self._path, flags, 0o644), "ab", buffering=0)
            # A line that a crash cut off must not swallow this one.
            self._file.write(b"\n" + _line(record))
            if (now := time.monotonic()) - self._synced >= 1:
                os.fsync(self._file.fileno())
                self._synced = now
        except OSError as error:
            raise OutputError(
                f"cannot be written: {error.strerror or error}",
                where=str(self._path),
                hint="Free some space, then run the same command again.",
            ) from error

    def __enter__(self) -> Self:
        """Return the journal itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file; the next record opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def remove(self) -> None:
        """Remove the journal, whose records the manifest contains by now; it could stay."""
        self.close()
        with contextlib.suppress(OSError):
            self._path.unlink()


def read_journal(folder: Path, *, largest: int) -> Iterator[dict[str, Any]]:
    """Iterate over the intact records in the journal of a data set folder; none if there is none.

    Raises
    ------
    OSError
        When it cannot be read.
    ValueError
        When it is not a file or larger than `largest` bytes.
    """
    path = folder / NAME
    if not path.exists():
        return
    if not path.is_file():
        raise ValueError("it is not a regular file")
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > largest:
            raise ValueError(f"it has {size} bytes, more than the limit of {largest}")
        while line := file.readline(_LONGEST):
            text = line[_CHECKED + 1 :].strip()
            if line[:_CHECKED] == _sum(text):
                yield json.loads(text)


def _line(record: dict[str, Any]) -> bytes:
    text = json.dumps(record, allow_nan=False).encode()
    return _sum(text) + b" " + text + b"\n"


def _sum(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest()[:_CHECKED].encode()

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
#: Folder of the parts that independent jobs make, each in a folder with a journal of its own.
PARTS = "parts"
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


def list_journals(folder: Path) -> list[Path]:
    """Return the journals in a data set folder, those of parts first."""
    parts = sorted((folder / PARTS).glob(f"*/{NAME}"))
    return [path for path in (*parts, folder / NAME) if path.exists()]


def read_journals(folder: Path, *, largest: int) -> Iterator[dict[str, Any]]:
    """Iterate over the intact records in the journals of a data set folder, those of parts first.

    Raises
    ------
    OSError
        When one cannot be read.
    ValueError
        When one is not a file, or all together are larger than `largest` bytes.
    """
    for path in list_journals(folder):
        if not path.is_file():
            raise ValueError(f"{path.relative_to(folder)} is not a regular file")
        with path.open("rb") as file:
            largest -= os.fstat(file.fileno()).st_size
            if largest < 0:
                raise ValueError(f"{path.relative_to(folder)} is larger than its shards explain")
            while line := file.readline(_LONGEST):
                text = line[_CHECKED + 1 :].strip()
                if line[:_CHECKED] == _sum(text):
                    yield json.loads(text)


def _line(record: dict[str, Any]) -> bytes:
    text = json.dumps(record, allow_nan=False).encode()
    return _sum(text) + b" " + text + b"\n"


def _sum(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest()[:_CHECKED].encode()

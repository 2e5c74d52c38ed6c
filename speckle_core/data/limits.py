"""Bounds on the size of file contents, checked before anything is decompressed.

A file of a few kilobytes can demand terabytes: with an array that was never stored, a chunk larger
than its array, or an endless compressed stream. Nothing here depends on a file format.
"""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from speckle_core.errors import DataError

#: Deflate, the strongest of the usual compressions, reaches at most a factor of 1032.
STRONGEST = 1100
#: Size that is always accepted, for file pages, chunks and headers [bytes].
SMALL = 2**24
_PIECE = 2**20
_LONGEST_HEADER = 2**16


def check_npy(path: Path) -> None:
    """Reject a ``.npy`` file with an implausibly long header.

    Raises
    ------
    DataError
        When the header is too long.
    """
    with path.open("rb") as file:
        check_npy_head(file.read(12), str(path))


def check_npy_head(head: bytes, where: str) -> None:
    """Do the check of `check_npy` on the first 12 bytes of a ``.npy`` file."""
    wide = len(head) == 12 and head[6] >= 2
    if wide and int.from_bytes(head[8:12], "little") > _LONGEST_HEADER:
        raise DataError("is damaged: its header is far too long", where=where)


def unpacks_to_at_most(data: bytes, limit: int, kind: str = "deflate") -> bool:
    """Return whether a stream decompresses to at most `limit` bytes, producing no more than that.

    Parameters
    ----------
    data : bytes
        As stored.
    limit : int
        Maximum size [bytes].
    kind : {"deflate", "lzma"}
        The compression.

    Raises
    ------
    ValueError
        When the stream is damaged.
    """
    if kind == "lzma":
        return _lzma_within(data, limit)
    stream = zlib.decompressobj()
    total = 0
    try:
        rest = data
        while not stream.eof:
            piece = stream.decompress(rest, _PIECE)
            total += len(piece)
            rest = stream.unconsumed_tail
            if total > limit:
                return False
            if not piece and not rest:
                break
    except zlib.error as error:
        raise ValueError(str(error)) from error
    return True


def _lzma_within(data: bytes, limit: int) -> bool:
    # The decoder's memory counts towards the limit, too.
    stream = lzma.LZMADecompressor(memlimit=max(2 * limit, 2**27))
    total, rest = 0, data
    try:
        while not stream.eof:
            piece = stream.decompress(rest, _PIECE)
            total, rest = total + len(piece), b""
            if total > limit:
                return False
            if not piece and stream.needs_input:
                break
    except lzma.LZMAError as error:
        raise ValueError(str(error)) from error
    return True


class Inflated:
    """A compressed stream, read piecewise so that it is never in memory as a whole.

    Parameters
    ----------
    read : callable
        ``read(size)`` returns the next compressed bytes, or none at the end.
    """

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._stream: Any = zlib.decompressobj()
        self._rest = b""
        self._ready = b""
        self.at = 0

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes; `ValueError` when there are fewer or they are damaged."""
        parts = [self._ready[:size]]
        self._ready = self._ready[size:]
        missing = size - len(parts[0])
        while missing > 0:
            piece = self._more(min(missing, _PIECE))
            parts.append(piece[:missing])
            self._ready = piece[missing:]
            missing -= len(parts[-1])
        self.at += size
        return b"".join(parts)

    def skip(self, size: int) -> None:
        """Skip the next `size` bytes."""
        while size > 0:
            size -= len(self.take(min(size, _PIECE)))

    def _more(self, size: int) -> bytes:
        try:
            while True:
                stored = self._rest or self._read(2**16)
                if self._stream.eof or not (stored or self._stream.unconsumed_tail):
                    raise ValueError("the compressed stream is shorter than declared")
                piece: bytes = self._stream.decompress(stored, size)
                self._rest = self._stream.unconsumed_tail
                if piece:
                    return piece
        except zlib.error as error:
            raise ValueError(str(error)) from error

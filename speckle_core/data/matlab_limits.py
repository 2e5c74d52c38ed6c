"""Limits on what a MATLAB file up to version 7 may demand, checked without reading values.

Every element declares its length, and a compressed variable of kilobytes can declare gigabytes.
An array must declare the bytes that its dimensions take. Data is decompressed piecewise and
discarded.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from speckle_core.data.limits import SMALL, Inflated
from speckle_core.errors import DataError

#: Maximum bytes of all arrays in a file.
MOST = 4 * 2**30
_PACKED, _MATRIX = 15, 14
_CELL, _STRUCT, _OBJECT, _SPARSE = 1, 2, 3, 5
_NUMERIC = range(6, 16)
_SIZES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8, 16: 1, 17: 2, 18: 4}
_LONGEST_NAME, _MOST_AXES, _DEEPEST, _MOST_ELEMENTS = 4096, 32, 16, 200_000
_MOST_FIELDS = 2048


class _Walk:
    """The walk through one file, with the number of elements and bytes so far."""

    def __init__(self, order: str) -> None:
        self.order = order
        self.elements = 0
        self.bytes = 0

    def tag(self, take: Callable[[int], bytes]) -> tuple[int, int, bytes | None]:
        """Return type, length, and the value if it is stored within the tag."""
        self.elements += 1
        if self.elements > _MOST_ELEMENTS:
            raise ValueError(f"it has more than {_MOST_ELEMENTS} elements")
        head = take(8)
        first, second = struct.unpack(f"{self.order}II", head)
        if first >> 16:
            length = first >> 16
            if length > 4:
                raise ValueError("a short element is longer than 4 bytes")
            return first & 0xFFFF, length, head[4 : 4 + length]
        return first, second, None

    def small(self, stream: Any, most: int) -> bytes:
        """Return the value of an element of at most `most` bytes."""
        _, length, value = self.tag(stream.take)
        if value is not None:
            return value
        if length > most:
            raise ValueError(f"it has {length} bytes, more than the maximum of {most}")
        value = stream.take(length)
        stream.skip(-length % 8)
        return bytes(value)

    def matrix(self, stream: Any, length: int, depth: int) -> None:
        """Check the lengths of the parts of one array and skip it."""
        begun = stream.at
        if depth > _DEEPEST:
            raise ValueError(f"it is nested more than {_DEEPEST} deep")
        flags = struct.unpack(f"{self.order}I", self.small(stream, 16)[:4].ljust(4, b"\0"))[0]
        kind = flags & 0xFF
        axes = self.small(stream, 4 * _MOST_AXES)
        count = math.prod(
            struct.unpack(f"{self.order}{len(axes) // 4}i", axes[: len(axes) // 4 * 4])
        )
        self.small(stream, _LONGEST_NAME)
        if count < 0:
            raise ValueError("it has a negative dimension")
        if kind == _CELL:
            self.children(stream, count, depth)
        elif kind in (_STRUCT, _OBJECT):
            if kind == _OBJECT:
                self.small(stream, _LONGEST_NAME)
            width = struct.unpack(f"{self.order}i", self.small(stream, 4).ljust(4, b"\0")[:4])[0]
            names = self.small(stream, 2**16)
            fields = len(names) // width if 0 < width <= 2**10 else 0
            # SciPy compares every name of a field with all others.
            if fields > _MOST_FIELDS:
                raise ValueError(f"it has {fields} fields")
            # It makes an object for each element, even if it has no field.
            if count > _MOST_ELEMENTS:
                raise ValueError(f"it has {count} structs")
            self.children(stream, count * fields, depth)
        elif kind in _NUMERIC or kind == 4:
            for _ in range(2 if flags & 0x800 else 1):
                self.values(stream, count)
        else:
            # Sparse arrays, functions: never asked for, but read where a cell contains one.
            if length > SMALL:
                raise ValueError(f"it contains a sparse array or function of {length} bytes")
            while stream.at < begun + length:
                self.part(stream, length, depth)

    def part(self, stream: Any, most: int, depth: int) -> None:
        """Check one element of a kind of array whose elements are not known."""
        kind, length, value = self.tag(stream.take)
        if kind == _MATRIX and value is None:
            self.matrix(stream, length, depth + 1)
            return
        _check_kind(kind)
        if value is None:
            if length > most:
                raise ValueError("it is shorter than declared")
            stream.skip(length + -length % 8)

    def children(self, stream: Any, count: int, depth: int) -> None:
        if count > _MOST_ELEMENTS:
            raise ValueError(f"it has {count} cells")
        for _ in range(count):
            kind, length, value = self.tag(stream.take)
            if kind != _MATRIX:
                raise ValueError("a cell is not an array")
            if length and value is None:
                self.matrix(stream, length, depth + 1)

    def values(self, stream: Any, count: int) -> None:
        kind, length, value = self.tag(stream.take)
        _check_kind(kind)
        if length < count:
            raise ValueError(f"an array of {count} values has only {length} bytes")
        if value is None:
            if length > count * _SIZES[kind] + 8:
                raise ValueError(f"an array of {count} values declares {length} bytes")
            self.bytes += length
            if self.bytes > MOST:
                raise ValueError(f"its arrays take more than {MOST} bytes")
            stream.skip(length + -length % 8)


def _check_kind(kind: int) -> None:
    # SciPy looks the type of values up without a check, and crashes.
    if kind not in _SIZES:
        raise ValueError(f"its values have the unknown type {kind}")


class _Plain:
    """An uncompressed stream."""

    def __init__(self, file: Any, size: int) -> None:
        self._file, self._size = file, size

    @property
    def at(self) -> int:
        place: int = self._file.tell()
        return place

    def take(self, size: int) -> bytes:
        data: bytes = self._file.read(min(size, self._size))
        if len(data) < size:
            raise ValueError("it is shorter than declared")
        return data

    def skip(self, size: int) -> None:
        if self._file.tell() + size > self._size + 8:
            raise ValueError("it is shorter than declared")
        self._file.seek(size, 1)


def check_matlab(path: Path) -> None:
    """Reject a MATLAB 5 file in which an element is longer than its array, before reading it.

    Raises
    ------
    DataError
        With what is wrong.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(128)
        if len(head) < 128 or head[126:128] not in (b"IM", b"MI"):
            return  # an older format with plain, uncompressed matrices only
        walk = _Walk("<" if head[126:128] == b"IM" else ">")
        at = 128
        try:
            while at + 8 <= size:
                file.seek(at)
                kind, length, value = walk.tag(_Plain(file, size).take)
                if value is not None or length > size - at:
                    raise ValueError("it is shorter than declared")
                _variable(walk, file, kind, length, size)
                at += 8 + length + (0 if kind == _PACKED else -length % 8)
        except (ValueError, struct.error) as error:
            raise DataError(
                f"is damaged, or not what it claims to be: {error}", where=str(path)
            ) from error


def _variable(walk: _Walk, file: Any, kind: int, length: int, size: int) -> None:
    if kind == _MATRIX:
        walk.matrix(_Plain(file, size), length, 0)
    elif kind == _PACKED:
        left = length

        def read(wanted: int) -> bytes:
            nonlocal left
            data: bytes = file.read(min(wanted, left))
            left -= len(data)
            return data

        stream = Inflated(read)
        inner, inside, value = walk.tag(stream.take)
        if inner == _MATRIX and value is None:
            walk.matrix(stream, inside, 0)

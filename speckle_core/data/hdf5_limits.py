"""Limits on what an HDF5 file may demand: chunks and filters, strings, and nesting of groups.

HDF5 allocates whole chunks, decompresses one to any size, and follows groups to any depth. All
of this is checked here before a value is read.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from typing import Any

import h5py

from speckle_core.data.limits import SMALL, STRONGEST, unpacks_to_at_most
from speckle_core.errors import DataError

#: Maximum number of groups and datasets visited in one file.
MOST_OBJECTS = 10_000
_DEEPEST = 32
_MOST_SOURCES = 10_000
_LARGEST_ATTRIBUTE = 2**16
_KEEPS_SIZE = frozenset({h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32})
# These filters take the decompressed size from the compressed data alone.
_UNBOUNDED = frozenset({h5py.h5z.FILTER_SZIP, h5py.h5z.FILTER_NBIT, h5py.h5z.FILTER_SCALEOFFSET})
_REPACK = "Rewrite it without that filter: h5repack -f NONE in.h5 out.h5"


def filters_of(dataset: h5py.Dataset) -> list[int]:
    """Return the numbers of the filters of a dataset, in order."""
    settings = dataset.id.get_create_plist()
    return [settings.get_filter(i)[0] for i in range(settings.get_nfilters())]


def keeps_size(dataset: h5py.Dataset) -> bool:
    """Return whether a dataset takes as many bytes in the file as in memory."""
    return _KEEPS_SIZE.issuperset(filters_of(dataset))


def check_chunks(dataset: h5py.Dataset, where: str) -> None:
    """Reject chunks that take far more memory than the dataset, as stored or decompressed.

    Raises
    ------
    DataError
        With what is wrong.
    """
    if dataset.chunks is None:
        return
    itemsize = dataset.dtype.itemsize
    declared = math.prod(dataset.shape) * itemsize
    chunk = math.prod(dataset.chunks) * itemsize
    if chunk > max(4 * declared, SMALL):
        raise DataError(
            f"declares {declared} bytes in chunks of {chunk} bytes", where=where, hint=_REPACK
        )
    used = [number for number in filters_of(dataset) if number not in _KEEPS_SIZE]
    if not used:
        return
    if len(used) > 1 or used[0] in _UNBOUNDED:
        raise DataError(
            f"uses the HDF5 filters {used}, which can decompress to any size",
            where=where,
            hint=_REPACK,
        )
    infos: list[Any] = []
    dataset.id.chunk_iter(infos.append)
    # Incompressible bytes grow only by the compressor's framing; fletcher32 adds four.
    if any(info.size > chunk + chunk // 64 + 4096 for info in infos):
        raise DataError(f"has a chunk that takes more than {chunk} bytes", where=where)
    if used[0] != h5py.h5z.FILTER_DEFLATE:
        return
    if sum(info.size for info in infos) * STRONGEST <= max(4 * declared, SMALL):
        return
    for info in infos:
        if info.size * STRONGEST > 4 * chunk and not _fits(dataset, info, chunk):
            raise DataError(
                f"has a chunk that decompresses to more than its {chunk} bytes", where=where
            )


def _fits(dataset: h5py.Dataset, info: Any, chunk: int) -> bool:
    """Return whether a deflated chunk decompresses to the size of a chunk."""
    mask, stored = dataset.id.read_direct_chunk(info.chunk_offset)
    numbers = filters_of(dataset)
    at = numbers.index(h5py.h5z.FILTER_DEFLATE)
    if mask & (1 << at):
        return len(stored) <= chunk + 4
    # A checksum added after compression is stripped first.
    behind = [n for i, n in enumerate(numbers) if i > at and not mask & (1 << i)]
    body = stored[:-4] if h5py.h5z.FILTER_FLETCHER32 in behind else stored
    try:
        return unpacks_to_at_most(body, chunk + 4)
    except ValueError as error:
        raise OSError(f"a chunk is damaged: {error}") from error


def check_sources(dataset: h5py.Dataset, where: str) -> None:
    """Reject a virtual dataset with so many sources that listing them would take long."""
    count = dataset.id.get_create_plist().get_virtual_count()
    if count > _MOST_SOURCES:
        raise DataError(f"has {count} sources", where=where)


def read_text(item: Any, where: str, largest: int = SMALL) -> str:
    """Return the text of a dataset with one string, which comes from `find` and is still unread.

    Raises
    ------
    DataError
        When it is not a string, is stored in another file, or is longer than `largest` bytes.
    """
    try:
        if not isinstance(item, h5py.Dataset):
            raise DataError("is not a text string", where=where)
        if item.id.get_create_plist().get_external_count() or item.is_virtual:
            raise DataError("stores its text in another file", where=where)
        kind = h5py.check_string_dtype(item.dtype)
        if kind is None or item.shape != () or (kind.length or 0) > largest:
            raise DataError("is not a text string", where=where)
        text: str = item.asstr()[()]
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        raise DataError(f"is damaged: {str(error)[:200]}", where=where) from error
    if len(text) > largest:
        raise DataError("is too long a text", where=where)
    return text


def attribute(item: Any, name: str) -> Any:
    """Return an attribute of a group or dataset if it is small; None if it is not there.

    An attribute can be an array of strings of a megabyte each, so only a few values are read.
    """
    if name not in item.attrs:
        return None
    found = item.attrs.get_id(name)
    few = math.prod(found.shape) if found.shape is not None else 0
    if few > 64 or found.dtype.itemsize * few > _LARGEST_ATTRIBUTE:
        return None
    return item.attrs[name]


def walk(group: h5py.Group) -> Iterator[Any]:
    """Iterate over the groups and datasets below `group` reached by hard links, each once.

    Raises
    ------
    DataError
        When there are more than 10,000, or they are nested more than 32 groups deep.
    """
    where = group.file.filename
    seen: set[Any] = {_address(group)}
    open_: deque[tuple[Any, int]] = deque([(group, 0)])
    links = 0
    while open_:
        here, depth = open_.popleft()
        if depth >= _DEEPEST:
            raise DataError(
                f"has groups nested more than {_DEEPEST} deep",
                where=where,
                hint="Name the dataset to read (--dataset).",
            )
        for name in here:
            links += 1
            if links > MOST_OBJECTS:
                raise DataError(
                    f"has more than {MOST_OBJECTS} groups and datasets",
                    where=where,
                    hint="Name the dataset to read (--dataset).",
                )
            if not isinstance(here.get(name, getlink=True), h5py.HardLink):
                continue
            item = here[name]
            address = _address(item)
            if address in seen:
                continue
            seen.add(address)
            yield item
            if isinstance(item, h5py.Group):
                open_.append((item, depth + 1))


def _address(item: Any) -> tuple[int, int]:
    found = h5py.h5o.get_info(item.id)
    return found.fileno, found.addr

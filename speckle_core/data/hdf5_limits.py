"""What an HDF5 file may ask for: chunks and their filters, texts, and the way through its groups.

HDF5 takes memory for whole chunks, inflates one to any size, and walks groups as deep as they are.
All that is settled here before a value is read.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from typing import Any

import h5py

from speckle_core.data.limits import SMALL, STRONGEST, unpacks_to_at_most
from speckle_core.errors import DataError

#: Groups and datasets that a file is searched for.
MOST_OBJECTS = 10_000
_DEEPEST = 32
_MOST_SOURCES = 10_000
_LARGEST_ATTRIBUTE = 2**16
_KEEPS_SIZE = frozenset({h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32})
# These take the size of what they unpack from the file and from nothing else.
_UNBOUNDED = frozenset({h5py.h5z.FILTER_SZIP, h5py.h5z.FILTER_NBIT, h5py.h5z.FILTER_SCALEOFFSET})
_REPACK = "Write it again without that filter: h5repack -f NONE in.h5 out.h5"


def filters_of(dataset: h5py.Dataset) -> list[int]:
    """Return the numbers of the filters that pack a dataset, in order."""
    settings = dataset.id.get_create_plist()
    return [settings.get_filter(i)[0] for i in range(settings.get_nfilters())]


def keeps_size(dataset: h5py.Dataset) -> bool:
    """Return whether a dataset takes as many bytes in its file as in memory."""
    return _KEEPS_SIZE.issuperset(filters_of(dataset))


def check_chunks(dataset: h5py.Dataset, where: str) -> None:
    """Refuse chunks that take far more memory than the dataset has, when read or when unpacked.

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
            f"is packed by the HDF5 filters {used}, which can unpack to any size",
            where=where,
            hint=_REPACK,
        )
    infos: list[Any] = []
    dataset.id.chunk_iter(infos.append)
    # Bytes that do not get smaller grow by their frames alone; fletcher32 adds four.
    if any(info.size > chunk + chunk // 64 + 4096 for info in infos):
        raise DataError(f"has a chunk that takes more than {chunk} bytes", where=where)
    if used[0] != h5py.h5z.FILTER_DEFLATE:
        return
    if sum(info.size for info in infos) * STRONGEST <= max(4 * declared, SMALL):
        return
    for info in infos:
        if info.size * STRONGEST > 4 * chunk and not _fits(dataset, info, chunk):
            raise DataError(f"has a chunk that unpacks to more than its {chunk} bytes", where=where)


def _fits(dataset: h5py.Dataset, info: Any, chunk: int) -> bool:
    """Return whether a deflated chunk unpacks to what a chunk has."""
    mask, stored = dataset.id.read_direct_chunk(info.chunk_offset)
    numbers = filters_of(dataset)
    at = numbers.index(h5py.h5z.FILTER_DEFLATE)
    if mask & (1 << at):
        return len(stored) <= chunk + 4
    # A checksum that was added after packing comes off first.
    behind = [n for i, n in enumerate(numbers) if i > at and not mask & (1 << i)]
    body = stored[:-4] if h5py.h5z.FILTER_FLETCHER32 in behind else stored
    try:
        return unpacks_to_at_most(body, chunk + 4)
    except ValueError as error:
        raise OSError(f"a chunk is damaged: {error}") from error


def check_sources(dataset: h5py.Dataset, where: str) -> None:
    """Refuse a virtual dataset of so many parts that to list them would take long."""
    count = dataset.id.get_create_plist().get_virtual_count()
    if count > _MOST_SOURCES:
        raise DataError(f"is made of {count} parts", where=where)


def read_text(item: Any, where: str, largest: int = SMALL) -> str:
    """Return the text in a dataset that holds one string, from `find` and nothing read yet.

    Raises
    ------
    DataError
        When it is something else, lies elsewhere, or is longer than `largest` bytes.
    """
    try:
        if not isinstance(item, h5py.Dataset):
            raise DataError("is not a text", where=where)
        if item.id.get_create_plist().get_external_count() or item.is_virtual:
            raise DataError("keeps its text in another file", where=where)
        kind = h5py.check_string_dtype(item.dtype)
        if kind is None or item.shape != () or (kind.length or 0) > largest:
            raise DataError("is not a text", where=where)
        text: str = item.asstr()[()]
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        raise DataError(f"is damaged: {str(error)[:200]}", where=where) from error
    if len(text) > largest:
        raise DataError("is far too long a text", where=where)
    return text


def attribute(item: Any, name: str) -> Any:
    """Return an attribute of a group or dataset if it is small; None if it is not there.

    Attributes can hold arrays of texts that each stand for a megabyte, so only a few values are
    read.
    """
    if name not in item.attrs:
        return None
    found = item.attrs.get_id(name)
    few = math.prod(found.shape) if found.shape is not None else 0
    if few > 64 or found.dtype.itemsize * few > _LARGEST_ATTRIBUTE:
        return None
    return item.attrs[name]


def walk(group: h5py.Group) -> Iterator[Any]:
    """Iterate over the groups and datasets below `group` that hard links lead to, each once.

    Raises
    ------
    DataError
        When there are more than 10,000, or they lie deeper than 32 groups.
    """
    where = group.file.filename
    seen: set[Any] = {_address(group)}
    open_: deque[tuple[Any, int]] = deque([(group, 0)])
    links = 0
    while open_:
        here, depth = open_.popleft()
        if depth >= _DEEPEST:
            raise DataError(
                f"has groups within groups, deeper than {_DEEPEST}",
                where=where,
                hint="Name the dataset that is meant (--dataset).",
            )
        for name in here:
            links += 1
            if links > MOST_OBJECTS:
                raise DataError(
                    f"has more than {MOST_OBJECTS} groups and datasets",
                    where=where,
                    hint="Name the dataset that is meant (--dataset).",
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

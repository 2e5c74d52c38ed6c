"""Hostile HDF5 files: each function writes one to the path that it is given."""

from __future__ import annotations

import functools
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

FILES: dict[str, Callable[[Path], None]] = {}
BOMB = 144 * 2**20


def hostile(write: Callable[[Path], None]) -> Callable[[Path], None]:
    FILES[write.__name__.strip("_")] = write
    return write


@functools.cache
def _piece() -> bytes:
    """Return a mebibyte of zeros as a part of a deflate stream, which may be repeated."""
    packer = zlib.compressobj(9, wbits=-15)
    return packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)


@functools.cache
def zeros(size: int = BOMB, before: bytes = b"", after: bytes = b"") -> bytes:
    """Return `before`, `size` zeros in whole mebibytes, and `after`, as zlib would pack them."""
    first, last = zlib.compressobj(9, wbits=-15), zlib.compressobj(9, wbits=-15)
    body = first.compress(before) + first.flush(zlib.Z_FULL_FLUSH) + _piece() * (size // 2**20)
    total = zlib.adler32(before)
    for _ in range(size // 2**20):
        total = zlib.adler32(bytes(2**20), total)
    end = last.compress(after) + last.flush()
    return b"\x78\xda" + body + end + struct.pack(">I", zlib.adler32(after, total))


def _packed(path: Path, data: bytes, filters: int = 1) -> None:
    with h5py.File(path, "w") as file:
        settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        settings.set_chunk((17, 17))
        for _ in range(filters):
            settings.set_deflate(9)
        space = h5py.h5s.create_simple((17, 17))
        made = h5py.h5d.create(file.id, b"data", h5py.h5t.IEEE_F64LE, space, settings)
        made.write_direct_chunk((0, 0), data)


@hostile
def a_chunk_that_inflates_without_end(path: Path) -> None:
    _packed(path, zeros())


@hostile
def a_chunk_that_is_packed_twice(path: Path) -> None:
    _packed(path, zlib.compress(zeros(), 9), filters=2)


@hostile
def a_chunk_that_is_damaged(path: Path) -> None:
    _packed(path, b"\x78\x9c" + os.urandom(500))


@hostile
def a_chunk_longer_than_its_pixels(path: Path) -> None:
    _packed(path, os.urandom(10**6))


@hostile
def a_chunk_far_larger_than_its_array(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset(
            "data", (17, 17), "f8", chunks=(20_000, 20_000), maxshape=(None, None), compression=9
        )


@hostile
def terabytes_that_were_never_stored(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("data", (2**20, 2**10, 2**10), "f8", chunks=(1, 2**10, 2**10))


@hostile
def terabytes_in_one_piece(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("data", (2**20, 2**10, 2**10), "f8")


def _one(path: Path, **how: object) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("data", **how)


@hostile
def values_in_another_file(path: Path) -> None:
    _one(path, shape=(17, 17), dtype="f8", external=[("/etc/passwd", 0, 2312)])


@hostile
def values_in_a_pipe(path: Path) -> None:
    pipe = path.with_name("pipe")
    if not pipe.exists():
        os.mkfifo(pipe)
    _one(path, shape=(17, 17), dtype="f8", external=[(str(pipe), 0, 2312)])


@hostile
def a_link_into_another_file(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["data"] = h5py.ExternalLink("/etc/passwd", "/data")


@hostile
def a_link_to_itself(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["data"] = h5py.SoftLink("/data")


@hostile
def groups_that_hold_themselves(path: Path) -> None:
    with h5py.File(path, "w") as file:
        group = file.create_group("a")
        group["a"] = file["/"]
        group["b"] = group


def _virtual(path: Path, sources: list[tuple[str, str]], shape: tuple[int, ...]) -> None:
    with h5py.File(path, "w") as file:
        layout = h5py.VirtualLayout((len(sources), *shape), "f8")
        for i, (name, inside) in enumerate(sources):
            layout[i] = h5py.VirtualSource(name, inside, shape)
        file.create_virtual_dataset("data", layout)


@hostile
def parts_outside_of_its_folder(path: Path) -> None:
    _virtual(path, [("../../../etc/passwd", "x")] * 2, (17, 17))


@hostile
def parts_in_a_pipe(path: Path) -> None:
    pipe = path.with_name("pipe")
    if not pipe.exists():
        os.mkfifo(pipe)
    _virtual(path, [("pipe", "x")] * 2, (17, 17))


@hostile
def parts_that_are_itself(path: Path) -> None:
    _virtual(path, [(".", "data")] * 2, (17, 17))


@hostile
def twenty_thousand_parts(path: Path) -> None:
    _virtual(path, [("other.h5", f"x{i}") for i in range(20_000)], (3, 3))


@hostile
def groups_a_thousand_deep(path: Path) -> None:
    with h5py.File(path, "w") as file:
        here = file
        for _ in range(1000):
            here = here.create_group("g")
        here["data"] = np.ones((17, 17))


@hostile
def ten_thousand_groups_and_more(path: Path) -> None:
    with h5py.File(path, "w", libver="latest") as file:
        for i in range(10_300):
            file.create_group(str(i))


@hostile
def an_attribute_of_a_thousand_long_texts(path: Path) -> None:
    with h5py.File(path, "w", libver="latest") as file:
        for name in ("a", "b"):
            file[name] = np.ones((17, 17))
        file.attrs.create("default", ["x" * 2**18] * 1000, dtype=h5py.string_dtype())
        file.attrs.create("signal", ["x" * 2**18] * 1000, dtype=h5py.string_dtype())


@hostile
def numbers_of_too_few_bits(path: Path) -> None:
    _one(path, data=np.ones((170, 170), "i4"), chunks=(17, 17), scaleoffset=3)


@hostile
def a_table(path: Path) -> None:
    _one(path, shape=(17, 17), dtype=[("a", "f8"), ("b", "S100")])


@hostile
def lists_of_any_length(path: Path) -> None:
    _one(path, shape=(17, 17), dtype=h5py.vlen_dtype("f8"))


@hostile
def thirty_two_axes(path: Path) -> None:
    _one(path, shape=(2,) * 32, dtype="f4", chunks=(1,) * 32)


@hostile
def nothing_at_all(path: Path) -> None:
    _one(path, shape=(0, 17, 17), dtype="f8")


@hostile
def arrays_as_numbers(path: Path) -> None:
    _one(path, shape=(17, 17), dtype=np.dtype(("f8", (10_000,))))


def _old(path: Path) -> bytearray:
    """Return a file of many groups in the oldest format, which has no checksums."""
    with h5py.File(path, "w", libver=("earliest", "v108")) as file:
        file["data"] = np.ones((17, 17))
        for i in range(600):
            file.create_group(f"g{i:05d}")
    return bytearray(path.read_bytes())


def _nodes(data: bytes, level: int) -> list[int]:
    """Return where the nodes of B-trees of groups stand that have entries."""
    places = [i for i in range(len(data)) if data.startswith(b"TREE\0", i)]
    return [i for i in places if data[i + 5] == level and data[i + 6]]


@hostile
def a_tree_whose_nodes_follow_one_another_in_a_circle(path: Path) -> None:
    data = _old(path)
    (top,) = _nodes(data, 1)
    first = struct.unpack_from("<Q", data, top + 32)[0]
    struct.pack_into("<Q", data, first + 16, first)
    path.write_bytes(data)


@hostile
def a_tree_that_is_its_own_branch(path: Path) -> None:
    data = _old(path)
    (top,) = _nodes(data, 1)
    struct.pack_into("<Q", data, top + 32, top)
    path.write_bytes(data)


@hostile
def a_list_of_free_places_that_leads_to_itself(path: Path) -> None:
    data = _old(path)
    free, start = struct.unpack_from("<QQ", data, data.index(b"HEAP") + 16)
    struct.pack_into("<Q", data, start + free, free)
    path.write_bytes(data)


@hostile
def a_text_of_no_length(path: Path) -> None:
    with h5py.File(path, "w") as file:
        for name in ("a", "b"):
            file[name] = np.ones((17, 17))
        file.attrs["default"] = "a"
    data = bytearray(path.read_bytes())
    struct.pack_into("<Q", data, data.index(b"GCOL") + 24, 0)
    path.write_bytes(data)


@hostile
def lists_of_lists_a_thousand_deep(path: Path) -> None:
    kind = h5py.h5t.IEEE_F64LE
    for _ in range(1500):
        kind = h5py.h5t.vlen_create(kind)
    with h5py.File(path, "w") as file:
        h5py.h5d.create(file.id, b"data", kind, h5py.h5s.create_simple((17, 17)))


@hostile
def names_of_sixty_thousand_letters(path: Path) -> None:
    with h5py.File(path, "w") as file:
        for letter in "ab":
            file[letter * 60_000] = np.ones((17, 17))

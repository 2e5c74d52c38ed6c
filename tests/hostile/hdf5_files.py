"""Hostile HDF5 files: each function writes one to the path that it is given."""

from __future__ import annotations

import functools
import os
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

FILES: dict[str, Callable[[Path], None]] = {}
BOMB = 192 * 2**20


def hostile(write: Callable[[Path], None]) -> Callable[[Path], None]:
    FILES[write.__name__.strip("_")] = write
    return write


@functools.cache
def zeros(size: int = BOMB) -> bytes:
    packed = zlib.compressobj(1)
    piece = bytes(2**20)
    return b"".join(packed.compress(piece) for _ in range(size // 2**20)) + packed.flush()


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
def twenty_thousand_groups(path: Path) -> None:
    with h5py.File(path, "w", libver="latest") as file:
        for i in range(20_000):
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

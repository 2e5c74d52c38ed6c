"""Hostile TIFF, MATLAB and NumPy files: each function writes one to the path that it is given."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.hostile.hdf5_files import BOMB, zeros

TIFF: dict[str, Callable[[Path], None]] = {}
MATLAB: dict[str, Callable[[Path], None]] = {}
NUMPY: dict[str, Callable[[Path], None]] = {}


def into(files: dict[str, Callable[[Path], None]]) -> Callable[..., Callable[[Path], None]]:
    def add(write: Callable[[Path], None]) -> Callable[[Path], None]:
        files[write.__name__] = write
        return write

    return add


def tags(size: int = 17, **changes: int) -> dict[int, tuple[int, int]]:
    """Return the directory of one image of 17 × 17 bytes: tag → (type, value)."""
    names = {"width": 256, "height": 257, "bits": 258, "packing": 259, "at": 273, "rows": 278}
    names |= {"bytes": 279, "samples": 277, "photometric": 262}
    found = {256: (4, size), 257: (4, size), 258: (3, 8), 259: (3, 1), 262: (3, 1), 273: (4, 8)}
    found |= {277: (3, 1), 278: (4, size), 279: (4, size * size)}
    for name, value in changes.items():
        found[names[name]] = (4, value)
    return found


def tiff(
    data: bytes, entries: dict[int, tuple[int, int]], after: int = 0, counts: int = 1
) -> bytes:
    head = b"II*\0" + struct.pack("<I", 8 + len(data)) + data + struct.pack("<H", len(entries))
    for tag, (kind, value) in sorted(entries.items()):
        head += struct.pack("<HHI", tag, kind, counts if tag in (273, 279) else 1)
        head += struct.pack("<HH", value, 0) if kind == 3 else struct.pack("<I", value)
    return head + struct.pack("<I", after)


@into(TIFF)
def a_strip_that_inflates_without_end(path: Path) -> None:
    data = zeros()
    path.write_bytes(tiff(data, tags(packing=8, bytes=len(data))))


@into(TIFF)
def an_old_strip_that_inflates_without_end(path: Path) -> None:
    data = zeros()
    path.write_bytes(tiff(data, tags(packing=32946, bytes=len(data))))


@into(TIFF)
def a_strip_of_lzma_that_inflates_without_end(path: Path) -> None:
    data = lzma.compress(bytes(BOMB // 3), preset=0)
    path.write_bytes(tiff(data, tags(packing=34925, bytes=len(data))))


def tiled(data: bytes, side: int, packing: int) -> bytes:
    entries = tags(packing=packing)
    for tag in (273, 278, 279):
        del entries[tag]
    entries |= {322: (4, side), 323: (4, side), 324: (4, 8), 325: (4, len(data))}
    return tiff(data, entries)


@into(TIFF)
def a_tile_that_inflates_without_end(path: Path) -> None:
    path.write_bytes(tiled(zeros(), 32, 8))


@into(TIFF)
def a_tile_of_gigabytes(path: Path) -> None:
    path.write_bytes(tiled(zeros(2**20), 60_000, 8))


@into(TIFF)
def a_directory_that_leads_to_itself(path: Path) -> None:
    path.write_bytes(tiff(bytes(289), tags(), after=8 + 289))


@into(TIFF)
def a_circle_of_pages_in_a_long_file(path: Path) -> None:
    path.write_bytes(tiff(bytes(10**6), tags(), after=8 + 10**6))


@into(TIFF)
def an_image_of_exabytes(path: Path) -> None:
    path.write_bytes(tiff(bytes(289), tags(width=2**31, height=2**31)))


@into(TIFF)
def a_hundred_million_strips(path: Path) -> None:
    path.write_bytes(tiff(bytes(289), tags(rows=1), counts=10**8))


@into(TIFF)
def a_strip_beyond_the_end(path: Path) -> None:
    path.write_bytes(tiff(bytes(289), tags(at=10**9)))


@into(TIFF)
def a_strip_of_four_gigabytes(path: Path) -> None:
    path.write_bytes(tiff(bytes(289), tags(bytes=2**32 - 1)))


@into(TIFF)
def half_a_file(path: Path) -> None:
    path.write_bytes(tiff(bytes(289), tags())[:200])


@into(TIFF)
def a_packing_nobody_knows(path: Path) -> None:
    path.write_bytes(tiff(bytes(289), tags(packing=12345)))


@into(TIFF)
def thirty_thousand_pages_of_one_image(path: Path) -> None:
    entries, data = tags(), bytes(289)
    size = 2 + 12 * len(entries) + 4
    text = bytearray(tiff(data, entries))
    start = 8 + len(data)
    one = bytes(text[start:])
    out = bytearray(text[:start])
    for i in range(30_000):
        after = start + (i + 1) * size if i < 29_999 else 0
        out += one[:-4] + struct.pack("<I", after)
    path.write_bytes(out)


def element(kind: int, data: bytes) -> bytes:
    return struct.pack("<II", kind, len(data)) + data + bytes(-len(data) % 8)


def matrix(
    kind: int = 6, shape: tuple[int, ...] = (17, 17), name: bytes = b"x", rest: bytes = b""
) -> bytes:
    body = element(6, struct.pack("<II", kind, 0))
    body += element(5, struct.pack(f"<{len(shape)}i", *shape)) + element(1, name) + rest
    return element(14, body)


def mat(*variables: bytes, packed: bool = True) -> bytes:
    head = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<HH", 0x0100, 0x4D49)
    for data in variables:
        before, bomb, after = data.partition(bytes(BOMB))
        body = zeros(BOMB if bomb else 0, before, after) if packed else data
        head += struct.pack("<II", 15, len(body)) + body if packed else data
    return head


@into(MATLAB)
def values_far_longer_than_the_array(path: Path) -> None:
    path.write_bytes(mat(matrix(rest=element(9, bytes(BOMB)))))


@into(MATLAB)
def a_name_of_megabytes(path: Path) -> None:
    path.write_bytes(mat(matrix(name=bytes(BOMB))))


@into(MATLAB)
def a_million_axes(path: Path) -> None:
    path.write_bytes(mat(matrix(shape=(1,) * 10**6)))


@into(MATLAB)
def cells_within_cells(path: Path) -> None:
    data = matrix(rest=element(9, bytes(17 * 17 * 8)))
    for _ in range(500):
        data = matrix(kind=1, shape=(1, 1), rest=data)
    path.write_bytes(mat(data))


@into(MATLAB)
def a_billion_cells(path: Path) -> None:
    path.write_bytes(mat(matrix(kind=1, shape=(10**5, 10**4))))


@into(MATLAB)
def a_billion_structs_without_fields(path: Path) -> None:
    rest = element(5, struct.pack("<i", 32)) + element(1, b"")
    path.write_bytes(mat(matrix(kind=2, shape=(10**5, 10**4), rest=rest)))


@into(MATLAB)
def a_billion_letters_that_are_not_there(path: Path) -> None:
    inner = matrix(kind=4, shape=(10**5, 10**4), rest=element(16, b""))
    path.write_bytes(mat(matrix(kind=1, shape=(1, 1), rest=inner)))


@into(MATLAB)
def thousands_of_fields_of_one_name(path: Path) -> None:
    rest = element(5, struct.pack("<i", 1)) + element(1, b"a" * 60_000) + element(14, b"") * 60_000
    path.write_bytes(mat(matrix(kind=2, shape=(1, 1), rest=rest)))


@into(MATLAB)
def fields_without_a_length(path: Path) -> None:
    path.write_bytes(mat(matrix(kind=2, shape=(1, 1), rest=element(5, bytes(4)))))


@into(MATLAB)
def a_sparse_array_of_megabytes(path: Path) -> None:
    inner = matrix(kind=5, rest=element(5, bytes(BOMB)))
    path.write_bytes(mat(matrix(kind=1, shape=(1, 1), rest=inner)))


@into(MATLAB)
def values_of_no_known_type(path: Path) -> None:
    path.write_bytes(mat(matrix(rest=element(14, b"")), packed=False))


@into(MATLAB)
def a_sparse_array_of_no_known_type(path: Path) -> None:
    inner = matrix(kind=5, rest=element(14, b"") + element(99, b"") + element(19, b"x"))
    path.write_bytes(mat(matrix(kind=1, shape=(1, 1), rest=inner)))


@into(MATLAB)
def negative_lengths(path: Path) -> None:
    path.write_bytes(mat(matrix(shape=(-17, 17), rest=element(9, bytes(100)))))


@into(MATLAB)
def half_of_a_variable(path: Path) -> None:
    path.write_bytes(mat(matrix(rest=element(9, bytes(2312))))[:-30])


@into(MATLAB)
def an_element_longer_than_the_file(path: Path) -> None:
    path.write_bytes(mat(struct.pack("<II", 14, 2**31 - 8) + bytes(100), packed=False))


@into(MATLAB)
def a_stream_that_is_none(path: Path) -> None:
    path.write_bytes(mat() + struct.pack("<II", 15, 100) + os.urandom(100))


def npy(header: bytes, version: int = 1) -> bytes:
    size = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + size + header


def described(shape: str, descr: str = "'<f8'") -> bytes:
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()


@into(NUMPY)
def a_header_of_gigabytes(path: Path) -> None:
    path.write_bytes(b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**31) + bytes(100))


@into(NUMPY)
def more_numbers_than_bytes(path: Path) -> None:
    path.write_bytes(npy(described("(1000000, 1000000)")) + bytes(800))


@into(NUMPY)
def a_negative_shape(path: Path) -> None:
    path.write_bytes(npy(described("(-17, 17)")) + bytes(2312))


@into(NUMPY)
def a_shape_of_five_thousand_digits(path: Path) -> None:
    path.write_bytes(npy(described(f"({'9' * 5000}, 17)")) + bytes(2312))


@into(NUMPY)
def a_header_of_brackets(path: Path) -> None:
    path.write_bytes(npy(b"(" * 9000 + b"\n") + bytes(2312))


@into(NUMPY)
def objects_that_run_code(path: Path) -> None:
    path.write_bytes(npy(described("(17, 17)", "'|O'")) + b"cos\nsystem\n(S'false'\ntR.")


def archived(path: Path, data: bytes) -> None:
    with zipfile.ZipFile(
        path.with_suffix(".npz"), "w", zipfile.ZIP_DEFLATED, compresslevel=1
    ) as file:
        file.writestr("x.npy", data)
    path.with_suffix(".npz").rename(path)


@into(NUMPY)
def an_archive_longer_than_its_array_npz(path: Path) -> None:
    archived(path, npy(described("(17, 17)")) + bytes(BOMB))


@into(NUMPY)
def an_archive_with_a_long_header_npz(path: Path) -> None:
    archived(path, b"\x93NUMPY\x02\x00" + struct.pack("<I", BOMB) + bytes(BOMB))


@into(NUMPY)
def a_packed_array_with_a_long_header_gz(path: Path) -> None:
    memory = io.BytesIO()
    with gzip.GzipFile(fileobj=memory, mode="wb", compresslevel=1) as file:
        file.write(b"\x93NUMPY\x02\x00" + struct.pack("<I", BOMB) + bytes(BOMB))
    path.write_bytes(memory.getvalue())


def honest(path: Path) -> None:
    """Write what must still be read: the same in every kind of file."""
    np.save(path, np.ones((3, 17, 17)))

"""Files that hypothesis builds part by part, so that most are nearly right and some are bombs."""

from __future__ import annotations

import gzip
import shutil
import struct
import tempfile
import zlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from hypothesis import strategies as st

from tests.hostile.other_files import element, mat, matrix, npy, tags, tiff

#: Sizes that are honest, nearly so, or beyond all bounds.
SIZES = st.sampled_from([0, 1, 2, 17, 18, 2**16, 2**31 - 1, 2**31, 2**32 - 1])
HUGE = SIZES | st.sampled_from([2**63 - 1, 2**64 - 1, 10**30, -1, -17])
DATA = st.sampled_from([b"", bytes(289), bytes(17 * 17 * 8), b"\xff" * 3000, bytes(10**6)])
TEXTS = st.text(max_size=20) | st.sampled_from(["\x1b[31m", "a" * 3000, "../x", "\0"])
PLAIN = st.recursive(
    st.none() | st.booleans() | HUGE | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@st.composite
def npy_files(draw: Any) -> tuple[str, bytes]:
    kind = draw(st.sampled_from(["<f8", ">f4", "|u1", "|b1", "<c16", "|O", "<U9999", "<m8", "x"]))
    shape = tuple(draw(st.lists(HUGE | st.just(17), max_size=4)))
    order = draw(st.sampled_from([True, False, 3]))
    header = repr({"descr": kind, "fortran_order": order, "shape": shape}).encode() + b"\n"
    header += b" " * draw(st.sampled_from([0, 50, 70_000]))
    version = draw(st.sampled_from([1, 2, 3, 9]))
    if version == 1:
        header = header[:65_535]
    data = npy(header, version) + draw(DATA)
    return (".npy.gz", gzip.compress(data, 1)) if draw(st.booleans()) else (".npy", data)


@st.composite
def tiff_files(draw: Any) -> tuple[str, bytes]:
    names = ["width", "height", "bits", "packing", "at", "rows", "bytes", "samples", "photometric"]
    packing = draw(st.sampled_from([1, 5, 8, 32773, 32946, 34925, 50000]))
    data = draw(DATA)
    packed = zlib.compress(data, 1) if packing in (8, 32946) else data
    changes = draw(st.dictionaries(st.sampled_from(names), SIZES, max_size=2))
    entries = tags(**{"packing": packing, "bytes": len(packed), **changes})
    for tag in draw(st.lists(st.sampled_from(sorted(entries)), max_size=1)):
        del entries[tag]
    if draw(st.booleans()):
        entries |= {322: (4, draw(SIZES)), 323: (4, 32), 324: (4, 8), 325: (4, len(packed))}
    after = draw(st.sampled_from([0, 0, 8, 8 + len(packed), 2**32 - 1]))
    return ".tif", tiff(packed, entries, after, draw(st.sampled_from([1, 1, 2, 10**8])))


@st.composite
def matlab_files(draw: Any) -> tuple[str, bytes]:
    def variable(depth: int) -> bytes:
        shape = tuple(n % 2**31 for n in draw(st.lists(SIZES | st.just(17), max_size=3)))
        kind = draw(st.sampled_from([6, 6, 1, 2, 4, 5, 7, 9, 17]))
        rest = element(draw(st.sampled_from([9, 7, 2, 14, 99])), draw(DATA))
        if depth and kind in (1, 2):
            rest = b"".join(variable(depth - 1) for _ in range(draw(st.integers(0, 2))))
        return matrix(kind, shape, draw(st.sampled_from([b"x", b"", bytes(5000)])), rest)

    return ".mat", mat(variable(3), packed=draw(st.booleans()))


@st.composite
def hdf5_files(draw: Any) -> tuple[str, bytes]:
    shape = tuple(draw(st.lists(st.sampled_from([0, 1, 3, 17, 2**20]), max_size=4)))
    bounded = shape if np.prod(shape, dtype=float) < 2**60 else (17, 17)
    kind = draw(st.sampled_from(["f4", "u2", "c16", "S9", "S60000", "i8", h5py.string_dtype()]))
    how: dict[str, Any] = {}
    if bounded and 0 not in bounded and draw(st.booleans()):
        how["chunks"] = tuple(min(n, draw(st.sampled_from([1, 17, 4096]))) for n in bounded)
        if np.prod(how["chunks"], dtype=float) * np.dtype("S60000").itemsize > 2**31:
            how["chunks"] = (1,) * len(bounded)
        how["compression"] = draw(st.sampled_from([None, "gzip", "lzf"]))
        how["fletcher32"] = kind in ("f4", "u2", "i8") and draw(st.booleans())
    # Not in memory: space that a file only declares would be allocated there.
    path = Path(tempfile.mkdtemp()) / "made.h5"
    with h5py.File(path, "w") as file:
        made = file.create_dataset("entry/data/data", bounded, kind, **how)
        if kind in ("f4", "u2", "i8") and 0 < made.size < 10**5 and draw(st.booleans()):
            made[...] = 1
        for name in draw(st.lists(st.sampled_from(["signal", "default", "axes"]), unique=True)):
            file["entry"].attrs[name] = draw(st.sampled_from(["data", "/entry", "..", "x" * 4000]))
        link = draw(st.sampled_from([None, h5py.SoftLink("/entry"), h5py.ExternalLink("y", "/")]))
        if link is not None:
            file["entry/link"] = link
    data = path.read_bytes()
    shutil.rmtree(path.parent)
    return ".h5", data[: len(data) - draw(st.sampled_from([0, 0, 0, 1, 600]))]


@st.composite
def toml_texts(draw: Any, whole: str) -> str:
    """Build the lines of `whole`, of which one is replaced, doubled, cut or nested."""
    lines = whole.splitlines()
    place = draw(st.integers(0, len(lines) - 1))
    key = lines[place].partition("=")[0]
    value = draw(
        st.sampled_from(
            ["9" * 5000, "nan", "1e999", "[" * 200 + "]" * 200, "{a={a={}}}", '"\\u001b"', "[1,2"]
        )
        | HUGE.map(str)
        | TEXTS.map(lambda text: f'"{text}"')
    )
    change = draw(st.sampled_from(["value", "value", "doubled", "dots", "gone"]))
    new = {
        "value": [f"{key}= {value}"],
        "doubled": [lines[place]] * 2,
        "dots": [".".join(["a"] * draw(st.sampled_from([3, 250, 9000]))) + " = 1"],
        "gone": [],
    }[change]
    return "\n".join([*lines[:place], *new, *lines[place + 1 :]])


@st.composite
def changed(draw: Any, data: Any) -> Any:
    """Build `data`, of dicts and lists, with one value somewhere replaced by any other."""
    if isinstance(data, dict) and data and draw(st.integers(0, 5)):
        key = draw(st.sampled_from(sorted(data)))
        return {**data, key: draw(changed(data[key]))}
    if isinstance(data, list) and data and draw(st.integers(0, 5)):
        place = draw(st.integers(0, len(data) - 1))
        return [*data[:place], draw(changed(data[place])), *data[place + 1 :]]
    return draw(PLAIN)


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def declared_header(size: int, data: bytes) -> bytes:
    """Return a safetensors file whose header claims `size` bytes."""
    return struct.pack("<Q", size % 2**64) + data

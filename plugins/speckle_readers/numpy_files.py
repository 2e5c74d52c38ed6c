"""NumPy's own files: ``.npy``, ``.npz``, and a ``.npy`` that gzip packed; never a pickle."""

from __future__ import annotations

import gzip
import math
import zipfile
from pathlib import Path
from typing import IO, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core import DataError, Frames, check_array, check_npy, check_npy_head
from speckle_readers.choice import (
    MASKS,
    choose,
    frames_of,
    is_beside,
    is_pattern,
    reject_name,
)

_NPY, _ZIP = b"\x93NUMPY", b"PK\x03\x04"


@attrs.frozen(kw_only=True)
class Numpy:
    """Reads arrays that NumPy saved."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The endings of its files."""
        return (".npy", ".npz", ".npy.gz")

    def matches(self, head: bytes) -> bool:
        """Say whether a file that begins so is an array of NumPy's."""
        return head.startswith(_NPY)

    def read(
        self, path: Path, *, dataset: str | None = None, frames_axis: int | None = None
    ) -> Frames:
        """Return the frames of an array; of several in an ``.npz``, `dataset` names one."""
        name = path.name.lower()
        if name.endswith(".npz"):
            return _archived(path, dataset, frames_axis)
        reject_name(path, dataset)
        values = _packed(path) if name.endswith(".gz") else _mapped(path)
        return frames_of(values, path, "", frames_axis)


def _mapped(path: Path) -> NDArray[Any]:
    check_npy(path)
    # A mapping takes no memory, refuses pickles, and fails when the file is shorter than its header
    # says.
    values: NDArray[Any] = np.lib.format.open_memmap(path, mode="r")
    # One frame is in memory at a time, so that only a frame is bounded.
    check_array(values.shape[-2:] if values.size else values.shape, values.dtype, str(path))
    return values


def _packed(path: Path) -> NDArray[Any]:
    with gzip.open(path, "rb") as file:
        return _checked(file, str(path), path.stat().st_size)


def _archived(path: Path, wanted: str | None, axis: int | None) -> Frames:
    """Return the frames in one array of an archive, with the mask beside it."""
    with zipfile.ZipFile(path) as archive:
        # Python unpacks the other methods without a limit.
        if {m.compress_type for m in archive.infolist()} - {
            zipfile.ZIP_STORED,
            zipfile.ZIP_DEFLATED,
        }:
            raise DataError("is packed in a way that NumPy does not use", where=str(path))
        names = [n.removesuffix(".npy") for n in archive.namelist() if n.endswith(".npy")]
        heads = {}
        for name in names:
            with archive.open(f"{name}.npy") as file:
                heads[name] = _header(file)
        if wanted is not None and wanted not in names:
            raise DataError(
                f"has no array {wanted!r}", where=str(path), hint=f"It has {', '.join(names)}."
            )
        able = {n: shape for n, (shape, _, kind) in heads.items() if is_pattern(shape)}
        counts = {
            n: s for n, s in able.items() if heads[n][2].kind not in "bO" and not is_beside(n)
        }
        name = wanted or choose(counts, str(path), [n for n in able if n not in counts])

        def load(name: str) -> NDArray[Any]:
            with archive.open(f"{name}.npy") as file:
                return _checked(file, f"{path}: {name}", path.stat().st_size)

        frames = frames_of(load(name), path, name, axis)
        masks = [
            n
            for n, (shape, _, kind) in heads.items()
            if n in MASKS and n != name and shape == frames.shape and kind.kind in "iufb"
        ]
        if not masks:
            return frames
        valid = load(masks[0]) == 0
        said = f"mask: {masks[0]}, which leaves out {1 - valid.mean():.1%} of the pixels"
        return attrs.evolve(frames, valid=lambda _: valid, notes=(*frames.notes, said))


def _header(file: IO[bytes] | gzip.GzipFile) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    check_npy_head(file.read(12), "its header")
    file.seek(0)
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0
    return (read if version == (1, 0) else np.lib.format.read_array_header_2_0)(file)


def _checked(file: IO[bytes] | gzip.GzipFile, source: str, stored: int) -> NDArray[Any]:
    """Return the array in a stream, once its header has been found to be credible."""
    shape, fortran, dtype = _header(file)
    check_array(shape, dtype, source, stored=stored)
    data = file.read(math.prod(shape) * dtype.itemsize)
    values = np.frombuffer(data, dtype)
    return values.reshape(shape, order="F" if fortran else "C")

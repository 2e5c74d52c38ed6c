"""HDF5: the frames of NeXus and CXI files, of EIGER masters, and of any other that has them."""

from __future__ import annotations

import bisect
import itertools
import math
from pathlib import Path
from typing import Any

import attrs
import h5py
import numpy as np
from numpy.typing import NDArray

from speckle_core import Frames, check_array, check_hdf5, open_hdf5, read_hdf5_attribute
from speckle_readers.choice import counted_first, perhaps_last
from speckle_readers.detector import describe
from speckle_readers.marks import Chosen, find_frames, text, texts

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
#: Frames that are read at once because one chunk holds them [bytes].
_BLOCK = 2**28
_ALONG_Y, _ALONG_X = ("y", "ky", "qy", "q_y", "row"), ("x", "kx", "qx", "q_x", "column")


@attrs.frozen(kw_only=True)
class Hdf5:
    """Reads frames out of HDF5 files."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The endings of its files."""
        return (".h5", ".hdf5", ".hdf", ".he5", ".nxs", ".nx", ".nexus", ".cxi", ".emd", ".ptyr")

    def matches(self, head: bytes) -> bool:
        """Say whether a file that begins so is HDF5; its mark may stand behind a user block."""
        return any(head[at : at + 8] == _SIGNATURE for at in (0, 512))

    def read(
        self, path: Path, *, dataset: str | None = None, frames_axis: int | None = None
    ) -> Frames:
        """Return the frames that the file marks, or the only ones, with mask and geometry."""
        folder = path.resolve().parent
        file = open_hdf5(path)
        chosen = find_frames(file, folder, dataset)
        for part in chosen.parts:
            check_hdf5(part, folder=folder)
        return stack(file, path, chosen, frames_axis)


def stack(file: h5py.File, path: Path, chosen: Chosen, frames_axis: int | None) -> Frames:
    """Return the frames in the data sets of `chosen`, one after the other."""
    first = chosen.parts[0]
    source = f"{path}: {chosen.name}"
    axis, notes = _frames_axis(first, frames_axis, source)
    parts = [_Part(part, axis) for part in chosen.parts]
    shape = parts[0].shape
    # One frame is in memory at a time, so that only a frame is bounded.
    check_array(shape if parts[0].count else first.shape, first.dtype, source)
    starts = list(itertools.accumulate((p.count for p in parts), initial=0))

    def read(index: int) -> NDArray[Any]:
        number = bisect.bisect_right(starts, index) - 1
        return parts[number].read(index - starts[number])

    valid, geometry, flip, said = describe(file, first, shape, starts[-1], path.resolve().parent)
    half = text(read_hdf5_attribute(first, "store")) == "half" and shape[1] == 2 * shape[0] - 1
    if half:
        middle = float(shape[0] - 1)
        shape, geometry = (shape[1], shape[1]), attrs.evolve(geometry, center=(middle, middle))

    def whole(index: int) -> NDArray[Any]:
        frame = read(index)
        # Only ky >= 0 is stored, and I(-k) = I(k).
        return np.concatenate([frame[:0:-1, ::-1], frame]) if half else frame[flip]

    return Frames(
        read=whole,
        count=starts[-1],
        shape=shape,
        valid=None if valid is None else (lambda index: valid(index)[flip]),
        geometry=geometry,
        path=str(path),
        dataset=chosen.name,
        scan_shape=parts[0].scan if len(parts) == 1 else (starts[-1],),
        notes=(*chosen.notes, *notes, *said),
    )


class _Part:
    """The frames of one data set; its last block stays in memory, as chunks may hold several."""

    def __init__(self, dataset: Any, axis: int) -> None:
        self._dataset = dataset
        self._axis = axis
        kept = [n for i, n in enumerate(dataset.shape) if i != axis] if dataset.ndim > 2 else []
        if dataset.ndim < 3:
            self.scan: tuple[int, ...] = ()
            self.shape = dataset.shape
        else:
            order = (dataset.shape[axis], *kept)
            self.scan, self.shape = order[:-2], order[-2:]
        self.count = math.prod(self.scan)
        size = math.prod(self.shape) * dataset.dtype.itemsize
        along = dataset.chunks[axis] if dataset.chunks and dataset.ndim > 2 else 1
        self._each = max(1, min(along, _BLOCK // max(size, 1)))
        self._block: tuple[tuple[int, ...], NDArray[Any]] | None = None

    def read(self, index: int) -> NDArray[Any]:
        if not self.scan:
            return np.asarray(self._dataset[()])
        place = [int(i) for i in np.unravel_index(index, self.scan)]
        start = place[0] // self._each * self._each
        key = (start, *place[1:])
        if self._block is None or self._block[0] != key:
            where: list[Any] = [*place[1:], slice(None), slice(None)]
            where.insert(self._axis, slice(start, start + self._each))
            block = np.asarray(self._dataset[tuple(where)])
            # Numbers took their axes away, so that of the frames has moved forward.
            counted = self._axis - min(self._axis, len(self.scan) - 1)
            self._block = (key, np.moveaxis(block, counted, 0))
        return np.asarray(self._block[1][place[0] - start])


def _frames_axis(dataset: Any, axis: int | None, source: str) -> tuple[int, tuple[str, ...]]:
    """Return the axis that counts the frames: as told, as marked, or the first."""
    if dataset.ndim < 3 or axis is not None:
        return counted_first(dataset.shape, axis, source), ()
    names = [
        n.rsplit("/", 1)[-1].lower() for n in texts(read_hdf5_attribute(dataset.parent, "axes"))
    ]
    names = names or [n.lower() for n in texts(read_hdf5_attribute(dataset, "axes"))]
    if len(names) == dataset.ndim == 3 and names[0] in _ALONG_Y and names[1] in _ALONG_X:
        return 2, ()
    return 0, perhaps_last(dataset.shape, None)

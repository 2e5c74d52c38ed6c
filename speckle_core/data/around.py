"""Build an HDF5 file around an array that HDF5 never copies.

HDF5 writes everything else to memory, and only reserves a run of bytes for the array. The file is
then the bytes before it, the array's own memory, and the bytes after it.
"""

from __future__ import annotations

import io
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

#: Bytes, or memory of an array.
Buffer = bytes | memoryview


class Around:
    """File in memory for `h5py.File`, with one run of bytes that is reserved but not held.

    Its methods are those that h5py needs of a file object.
    """

    def __init__(self) -> None:
        self._held = io.BytesIO()
        self._place = self._end = 0
        self._start = self._size = 0

    def reserve(
        self, home: h5py.Group, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> h5py.Dataset:
        """Return a new contiguous dataset whose values are left out, to be given to `pieces`."""
        settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        settings.set_layout(h5py.h5d.CONTIGUOUS)
        settings.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        settings.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        settings.set_obj_track_times(False)
        space = h5py.h5s.create_simple(shape)
        kind = h5py.h5t.py_create(dtype, logical=True)
        made = h5py.h5d.create(home.id, name.encode(), kind, space, settings)
        self._start, self._size = (
            made.get_offset(),
            space.get_simple_extent_npoints() * dtype.itemsize,
        )
        return h5py.Dataset(made)

    def pieces(self, values: NDArray[Any]) -> list[Buffer]:
        """Return the bytes of the closed file, with C-contiguous `values` in place."""
        held = self._held.getvalue().ljust(self._end - self._size, b"\0")
        if not self._size:
            return [held]
        return [held[: self._start], values.data.cast("B"), held[self._start :]]

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        """Move to a place in the file."""
        self._place = place + {io.SEEK_CUR: self._place, io.SEEK_END: self._end}.get(whence, 0)
        return self._place

    def tell(self) -> int:
        """Return the place in the file."""
        return self._place

    def read(self, size: int = -1) -> bytes:
        """Return the next `size` bytes."""
        self._held.seek(self._place_held())
        found = self._held.read(size)
        self._place += len(found)
        return found

    def readinto(self, buffer: memoryview) -> int:
        """Read the next bytes to `buffer`."""
        self._held.seek(self._place_held())
        count = self._held.readinto(buffer)
        self._place += count
        return count

    def write(self, data: Buffer) -> int:
        """Write `data` outside the run that is left out."""
        self._held.seek(self._place_held())
        self._place += self._held.write(data)
        self._end = max(self._end, self._place)
        return len(data)

    def truncate(self, size: int) -> int:
        """Set the size of the file."""
        self._end = size
        return size

    def flush(self) -> None:
        """Do nothing."""

    def _place_held(self) -> int:
        return self._place if self._place <= self._start else self._place - self._size

"""Read patterns from shards, in any order and from any thread, using little memory.

Shards are read directly, not through the master file; each is checked when it is opened.
"""

from __future__ import annotations

import collections
import threading
from pathlib import Path
from typing import Any

import attrs
import h5py
import numpy as np
from numpy.typing import NDArray

from speckle_core.analysis.regrid import completed
from speckle_core.contracts.arrays import IntArray
from speckle_core.contracts.grid import KGrid
from speckle_core.data.plan import Plan
from speckle_core.data.shard import checksums, checksums_beside, mask_beside, open_shard
from speckle_core.errors import DataError

# Maximum number of open files. Some systems allow a process only 256; with fewer here, random
# access reopens files more often.
_OPEN = 96


@attrs.frozen(eq=False)
class _Opened:
    """An open shard: its patterns, and what is stored beside them."""

    data: h5py.Dataset
    mask: h5py.Dataset | None
    checksums: NDArray[np.uint32] | None


class ShardReader:
    """``reader(indices) -> float32 (B, ny, nx)`` over the shards of a set.

    Parameters
    ----------
    folder : Path
        Of the data set.
    shards : Plan
        All of them, in order.
    grid : KGrid
        Of the patterns.
    labels : array of int, (N,)
        The labels that the shards must contain.
    """

    def __init__(self, folder: Path, shards: Plan, grid: KGrid, labels: IntArray) -> None:
        self._folder = folder
        self._shards = shards
        self._grid = grid
        self._labels = labels
        self._open: collections.OrderedDict[int, _Opened] = collections.OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, indices: IntArray) -> NDArray[np.float32]:
        """Return the raw patterns at `indices`, in that order, float32 (B, ny, nx).

        Pixels that a mask leaves out are completed as those of frames are.

        Raises
        ------
        DataError
            For an index out of range, or a shard that is missing or damaged.
        """
        indices = np.asarray(indices, dtype=np.int64)
        if indices.size and not 0 <= indices.min() <= indices.max() < len(self._labels):
            raise DataError(
                f"has patterns 0 to {len(self._labels) - 1}, not "
                f"{int(indices.min())} to {int(indices.max())}",
                where=str(self._folder),
            )
        found = np.empty((len(indices), *self._grid.shape), dtype=np.float32)
        numbers = indices // self._shards.most
        # In file order, one by one: h5py's fancy indexing is 50 times slower.
        with self._lock:
            for place in np.argsort(indices, kind="stable"):
                self._read(int(numbers[place]), int(indices[place]), found[place])
        return found

    def measured(self, indices: IntArray) -> NDArray[np.bool_] | None:
        """Return which pixels were measured, (B, ny, nx); None if no shard among them has a mask.

        Raises
        ------
        DataError
            For a shard that is missing or damaged.
        """
        indices = np.asarray(indices, dtype=np.int64)
        numbers = indices // self._shards.most
        found: NDArray[np.bool_] | None = None
        with self._lock:
            for place in np.argsort(indices, kind="stable"):
                number = int(numbers[place])
                mask = self._opened(number).mask
                if mask is None:
                    continue
                if found is None:
                    found = np.ones((len(indices), *self._grid.shape), dtype=bool)
                inside = int(indices[place]) - self._shards[number].first
                try:
                    found[place] = _read_mask(mask, inside)
                except OSError as error:
                    raise self._damaged(number, inside) from error
        return found

    def _damaged(self, number: int, inside: int) -> DataError:
        shard = self._shards[number]
        return DataError(
            f"pattern {inside} (number {shard.first + inside} of the set) is damaged",
            where=str(self._folder / shard.name),
            hint="Run 'speckle verify --repair' on the data set.",
        )

    def _read(self, number: int, index: int, target: NDArray[np.float32]) -> None:
        shard = self._shards[number]
        opened = self._opened(number)
        inside = index - shard.first
        try:
            _read_pattern(opened.data, inside, target)
            valid = None if opened.mask is None else _read_mask(opened.mask, inside)
        except OSError as error:
            raise self._damaged(number, inside) from error
        if opened.checksums is not None and checksums(target) != opened.checksums[inside]:
            raise self._damaged(number, inside)
        if valid is not None and not valid.all():
            target[:] = completed(target, valid, self._grid)

    def _opened(self, number: int) -> _Opened:
        if number in self._open:
            self._open.move_to_end(number)
            return self._open[number]
        shard = self._shards[number]
        labels = self._labels[shard.first : shard.first + shard.count]
        data = open_shard(self._folder, shard, self._grid, labels)
        try:
            opened = _Opened(data, mask_beside(data), checksums_beside(data))
        except BaseException:
            data.file.close()
            raise
        self._open[number] = opened
        if len(self._open) > _OPEN:
            self._open.popitem(last=False)[1].data.file.close()
        return opened

    def close(self) -> None:
        """Close the files; the next read reopens them."""
        with self._lock:
            while self._open:
                self._open.popitem()[1].data.file.close()


def _read_mask(mask: h5py.Dataset, index: int) -> NDArray[np.bool_]:
    """Return which pixels of one pattern were measured, (ny, nx)."""
    stored = np.empty(mask.shape[1:], dtype=np.uint8)
    _read_pattern(mask, index, stored)
    return np.asarray(stored == 0)


def _read_pattern(data: h5py.Dataset, index: int, target: NDArray[Any]) -> None:
    """Read one pattern of a stack to `target` (ny, nx).

    h5py's own functions take 30 µs to work out a selection, a fifth of the whole.
    """
    stored = data.id.get_space()
    stored.select_hyperslab((index, 0, 0), (1, *target.shape))
    data.id.read(h5py.h5s.create_simple((1, *target.shape)), stored, target[None])

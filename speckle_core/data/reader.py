"""Read patterns from shards, in any order and from any thread, using little memory.

Shards are read directly, not through the master file; each is checked when it is opened.
"""

from __future__ import annotations

import collections
import threading
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from speckle_core.analysis.regrid import completed
from speckle_core.contracts.arrays import IntArray
from speckle_core.contracts.grid import KGrid
from speckle_core.data.half import complete_half
from speckle_core.data.plan import Plan
from speckle_core.data.recomputed import Recomputed
from speckle_core.data.shard import OpenShard, checksums, open_shard
from speckle_core.errors import DataError
from speckle_core.experiment.experiment import Experiment

# Maximum number of open files. Some systems allow a process only 256; with fewer here, random
# access reopens files more often.
_OPEN = 96


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
    experiment : Experiment
        What the shards must contain, and how.
    """

    def __init__(self, folder: Path, shards: Plan, grid: KGrid, experiment: Experiment) -> None:
        self._folder = folder
        self._shards = shards
        self._grid = grid
        self._labels = experiment.labels()
        self._store = experiment.storage.store
        self._recomputed = Recomputed(experiment)
        self._open: collections.OrderedDict[int, OpenShard] = collections.OrderedDict()
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
                valid = self._valid(int(numbers[place]), int(indices[place]))
                if valid is None:
                    continue
                if found is None:
                    found = np.ones((len(indices), *self._grid.shape), dtype=bool)
                found[place] = valid
        return found

    def _valid(self, number: int, index: int) -> NDArray[np.bool_] | None:
        if self._store == "recipe":
            return self._recomputed(index)[1]
        mask, inside = self._opened(number).mask, index - self._shards[number].first
        try:
            return None if mask is None else _read_mask(mask, inside)
        except OSError as error:
            raise self._damaged(number, inside) from error

    def _damaged(self, number: int, inside: int) -> DataError:
        shard = self._shards[number]
        where = str(self._folder / shard.name)
        which = f"pattern {inside} (number {shard.first + inside} of the set)"
        if self._store == "recipe":
            return DataError(
                f"{which} is computed with other bytes than when the set was made",
                where=where,
                hint="Other versions of the software or another kind of processor may be the "
                "cause; else run 'speckle verify --repair' on the data set.",
            )
        return DataError(
            f"{which} is damaged",
            where=where,
            hint="Run 'speckle verify' on the data set; it says how to mend it.",
        )

    def _read(self, number: int, index: int, target: NDArray[np.float32]) -> None:
        opened = self._opened(number)
        inside = index - self._shards[number].first
        stored = target[self._grid.origin :] if self._store == "half" else target
        if opened.data is None:
            stored[:], valid = self._recomputed(index)
        else:
            try:
                _read_pattern(opened.data, inside, stored)
            except OSError as error:
                raise self._damaged(number, inside) from error
            valid = self._valid(number, index)
        if opened.checksums is not None and checksums(stored) != opened.checksums[inside]:
            raise self._damaged(number, inside)
        if self._store == "half":
            complete_half(target)
        if valid is not None and not valid.all():
            target[:] = completed(target, valid, self._grid)

    def _opened(self, number: int) -> OpenShard:
        if number in self._open:
            self._open.move_to_end(number)
            return self._open[number]
        shard = self._shards[number]
        labels = self._labels[shard.first : shard.first + shard.count]
        self._open[number] = open_shard(self._folder, shard, self._grid, labels, self._store)
        if len(self._open) > _OPEN:
            self._open.popitem(last=False)[1].file.close()
        return self._open[number]

    def close(self) -> None:
        """Close the files; the next read reopens them."""
        with self._lock:
            while self._open:
                self._open.popitem()[1].file.close()


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

"""Open one shard of a set, and check that it is this shard before anything is read from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import h5py
import numpy as np
from numpy.typing import NDArray

from speckle_core.contracts.arrays import IntArray
from speckle_core.contracts.grid import KGrid
from speckle_core.data.hdf5 import check, find, is_there, open_file
from speckle_core.data.hdf5_limits import read_text
from speckle_core.data.nexus import (
    CHECKSUMS,
    DATA,
    EXPERIMENT,
    LABELS,
    MASK,
)
from speckle_core.data.plan import Shard
from speckle_core.errors import DataError
from speckle_core.experiment.experiment import Experiment

#: Type of the patterns as stored, whatever the machine.
FLOAT = np.dtype("<f4")


def labels_of(experiment: Experiment, shard: Shard) -> IntArray:
    """Return the labels of one shard, (count,), without allocating those of the whole set."""
    numbers = np.arange(shard.first, shard.first + shard.count)
    if experiment.imported is not None:
        return np.asarray(experiment.imported.labels[shard.first : shard.first + shard.count])
    classes = np.asarray(experiment.counts, dtype=np.int64)
    return np.asarray(classes[numbers // experiment.structure.patterns_per_count])


def checksums(patterns: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Return the sum of the 32-bit words of each pattern (…, ny, nx), modulo 2³².

    Any single flipped bit changes it, and it takes a tenth of the time of reading a pattern.
    """
    words = np.ascontiguousarray(patterns, FLOAT).view("<u4")
    flat = words.reshape(*words.shape[:-2], -1)
    return np.asarray(np.add.reduce(flat, axis=-1, dtype=np.uint32))


@attrs.frozen(eq=False)
class OpenShard:
    """An open shard: its patterns, if they are stored, their mask and checksums, if it has them."""

    file: h5py.File
    data: h5py.Dataset | None
    mask: h5py.Dataset | None
    checksums: NDArray[np.uint32] | None


def open_shard(
    folder: Path, shard: Shard, grid: KGrid, labels: IntArray, store: str = "whole"
) -> OpenShard:
    """Open a shard and check it against `grid`, `labels` and `store`, reading no pattern yet.

    It keeps its file open; close ``file``.

    Raises
    ------
    DataError
        When the file is missing, damaged, or not this shard.
    """
    path = folder / shard.name
    if path.exists() and not path.resolve().is_relative_to(folder.resolve()):
        raise DataError("is a link out of the data set folder", where=str(path))
    file = open_file(path)
    try:
        rows = grid.size - (grid.origin if store == "half" else 0)
        shape = (shard.count, rows, grid.size)
        data = (
            None if store == "recipe" else _of_shape(file, DATA, shape, "<f4", "float32 patterns")
        )
        _check_labels(file, labels)
        mask = _of_shape(file, MASK, shape, "u1", "a uint8 mask") if is_there(file, MASK) else None
        sums = None
        if is_there(file, CHECKSUMS) or data is None:
            sums = _of_shape(file, CHECKSUMS, shape[:1], "<u4", "uint32 checksums")[()]
    except BaseException:
        file.close()
        raise
    return OpenShard(file, data, mask, sums)


def _of_shape(
    file: h5py.File, path: str, shape: tuple[int, ...], dtype: str, what: str
) -> h5py.Dataset:
    """Return a checked dataset that must have this shape and type."""
    found = _checked_dataset(file, path)
    if found.shape != shape or found.dtype != dtype:
        raise DataError(
            f"contains {found.dtype} of shape {found.shape}, not {what} {shape}",
            where=f"{file.filename}: {path}",
        )
    return found


def _checked_dataset(file: h5py.File, path: str) -> h5py.Dataset:
    found = find(file, path)
    if not isinstance(found, h5py.Dataset):
        raise DataError("is not a dataset", where=f"{file.filename}: {path}")
    check(found)
    return found


def _check_labels(file: h5py.File, labels: IntArray) -> None:
    stored = _checked_dataset(file, LABELS)
    where = f"{file.filename}: {LABELS}"
    if stored.shape != labels.shape:
        raise DataError(f"does not contain {len(labels)} labels", where=where)
    try:
        found = stored[()]
    except OSError as error:
        raise DataError("is damaged", where=where) from error
    if not np.array_equal(found, labels):
        wrong = int(np.flatnonzero(found != labels)[0])
        raise DataError(
            f"label {wrong} is {found[wrong]}, but {labels[wrong]} in the experiment",
            where=where,
            hint="Run 'speckle verify' on the data set; it says how to mend it.",
        )


def check_recipe(file: h5py.File, recipe: Mapping[str, Any]) -> None:
    """Raise `DataError` unless the recipe in a shard is `recipe`."""
    where = f"{file.filename}: {EXPERIMENT}"
    note = find(file, EXPERIMENT)
    try:
        found = json.loads(read_text(note, where))
    except (ValueError, RecursionError) as error:
        raise DataError("is not a valid experiment", where=where) from error
    if found != recipe:
        raise DataError("is another experiment", where=where)

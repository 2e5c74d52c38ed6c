"""Open one shard of a set, and check that it is this shard before anything is read from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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


def mask_beside(data: h5py.Dataset) -> h5py.Dataset | None:
    """Return the mask beside the patterns of an open shard, if it has one: 0 where a pixel counts.

    Raises
    ------
    DataError
        When it is not a mask of these patterns.
    """
    if not is_there(data.file, MASK):
        return None
    mask = _checked_dataset(data.file, MASK)
    if mask.shape != data.shape or mask.dtype != np.uint8:
        raise DataError(
            f"contains {mask.dtype} of shape {mask.shape}, not a uint8 mask {data.shape}",
            where=f"{data.file.filename}: {MASK}",
        )
    return mask


def checksums_beside(data: h5py.Dataset) -> NDArray[np.uint32] | None:
    """Return the checksums of the patterns of an open shard, (N,), if they are stored beside them.

    Raises
    ------
    DataError
        When they are not checksums of these patterns.
    """
    if not is_there(data.file, CHECKSUMS):
        return None
    stored = _checked_dataset(data.file, CHECKSUMS)
    if stored.shape != data.shape[:1] or stored.dtype != np.uint32:
        raise DataError(
            f"contains {stored.dtype} of shape {stored.shape}, not a uint32 for each pattern",
            where=f"{data.file.filename}: {CHECKSUMS}",
        )
    return np.asarray(stored[()])


def open_shard(folder: Path, shard: Shard, grid: KGrid, labels: IntArray) -> h5py.Dataset:
    """Open the patterns of a shard and check them against `grid` and `labels`, reading none yet.

    The dataset keeps its file open; close ``dataset.file``.

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
        data = _checked_dataset(file, DATA)
        expected = (shard.count, *grid.shape)
        if data.shape != expected or data.dtype != "<f4":
            raise DataError(
                f"contains {data.dtype} of shape {data.shape}, not float32 patterns {expected}",
                where=f"{path}: {DATA}",
            )
        _check_labels(file, labels)
    except BaseException:
        file.close()
        raise
    return data


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
            hint="Run 'speckle verify --repair' on the data set.",
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

"""Build one shard as bytes, a pure function of (experiment, seed, number), and open it again.

A shard is built in memory, because an HDF5 file whose writing is interrupted by a kill or a full
disk can be left unreadable, or readable but filled with zeros.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from speckle_core.contracts.arrays import IntArray
from speckle_core.contracts.grid import KGrid
from speckle_core.data.columns import Columns
from speckle_core.data.hdf5 import check, find, is_there, open_file
from speckle_core.data.hdf5_limits import read_text
from speckle_core.data.nexus import (
    DATA,
    ENTRY,
    EXPERIMENT,
    LABELS,
    LIBVER,
    MASK,
    describe,
    field,
    skeleton,
)
from speckle_core.data.plan import Shard
from speckle_core.errors import DataError
from speckle_core.experiment.experiment import Experiment, recipe_of
from speckle_core.experiment.pipeline import Pipeline

# Approximate bytes of patterns simulated at once. Fixed, since the batch size can change the last
# bits of a matrix product.
_BATCH = 4 * 2**20


def labels_of(experiment: Experiment, shard: Shard) -> IntArray:
    """Return the labels of one shard, (count,), without allocating those of the whole set."""
    numbers = np.arange(shard.first, shard.first + shard.count)
    if experiment.imported is not None:
        return np.asarray(experiment.imported.labels[shard.first : shard.first + shard.count])
    classes = np.asarray(experiment.counts, dtype=np.int64)
    return np.asarray(classes[numbers // experiment.structure.patterns_per_count])


def build(
    pipeline: Pipeline,
    experiment: Experiment,
    shard: Shard,
    on_progress: Callable[[int], None] | None = None,
) -> bytes:
    """Return the bytes of one shard of the resolved `experiment`.

    Raises
    ------
    PackingError, PluginError
        From the sampler, the scatterer or the detector.
    """
    grid = pipeline.grid
    labels = labels_of(experiment, shard)
    each = experiment.structure.patterns_per_count
    size = max(1, _BATCH // (4 * grid.size**2))
    columns = Columns()
    memory = io.BytesIO()
    with h5py.File(memory, "w", libver=LIBVER) as file:
        data = _empty(file, experiment, grid, shard)
        for start in range(0, shard.count, size):
            rows = range(start, min(start + size, shard.count))
            places = [(int(labels[i]), (shard.first + i) % each) for i in rows]
            drawn = [pipeline.draw(count, number, experiment.seed) for count, number in places]
            for i, configuration in zip(rows, drawn, strict=True):
                columns.add(shard.first + i, configuration)
            patterns, valid = pipeline.record(pipeline.simulate(drawn), places, experiment.seed)
            data[rows.start : rows.stop] = patterns
            if valid is not None:
                _mask_of(data)[rows.start : rows.stop] = ~valid
            if on_progress is not None:
                on_progress(len(rows))
        columns.write(file[ENTRY])
    return memory.getvalue()


def build_measured(
    frames: Iterable[tuple[NDArray[np.floating[Any]], NDArray[np.bool_]]],
    experiment: Experiment,
    shard: Shard,
) -> bytes:
    """Return the bytes of one shard of patterns and their measured pixels, each (ny, nx)."""
    memory = io.BytesIO()
    with h5py.File(memory, "w", libver=LIBVER) as file:
        data = _empty(file, experiment, experiment.kgrid(), shard)
        for place, (pattern, measured) in enumerate(frames):
            data[place] = np.where(measured, pattern, 0)
            if not measured.all():
                _mask_of(data)[place] = ~measured
    return memory.getvalue()


def _empty(file: h5py.File, experiment: Experiment, grid: KGrid, shard: Shard) -> h5py.Dataset:
    """Write all of a shard but its patterns and bodies; return the dataset for the patterns."""
    last = shard.first + shard.count - 1
    kind = "Simulated" if experiment.imported is None else "Measured"
    home = skeleton(
        file,
        title=f"{kind} speckle patterns {shard.first} to {last}",
        grid=grid,
        labels=labels_of(experiment, shard),
        recipe=recipe_of(experiment),
    )
    data = home.create_dataset(
        "data",
        (shard.count, *grid.shape),
        np.float32,
        chunks=(1, *grid.shape),
        fletcher32=True,
        track_times=False,
    )
    numbers = np.arange(shard.first, shard.first + shard.count, dtype=np.int64)
    describe(data, field(home, "pattern", numbers), recorded=experiment.detector is not None)
    return data


def _mask_of(data: h5py.Dataset) -> h5py.Dataset:
    """Return the mask beside the patterns `data`, which is made when it is first asked for."""
    home, name = data.parent, MASK.rsplit("/", 1)[1]
    if name in home:
        return home[name]
    made = home.create_dataset(
        name, data.shape, np.uint8, chunks=data.chunks, fletcher32=True, track_times=False
    )
    made.attrs["long_name"] = "pixel mask: 0 where a pixel counts"
    made.attrs["units"] = ""
    return made


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

"""`patterns.h5`: the whole set as one NeXus file whose patterns stay in the shards.

It contains labels and axes and refers to patterns and particles by relative paths, so the folder
can be moved. It is for other programs; `Dataset` reads the shards directly. HDF5 takes some 50 kB
of memory for each shard that is joined, so of a very large set only the first shards are.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import h5py
import numpy as np

from speckle_core.data.hdf5 import check_place, find, is_there, open_file
from speckle_core.data.manifest import MASTER, Manifest, Record
from speckle_core.data.nexus import (
    DATA,
    ENTRY,
    LENGTH,
    LIBVER,
    MASK,
    NUMBERS,
    PARTICLES,
    describe,
    group,
    skeleton,
)
from speckle_core.data.plan import Shard
from speckle_core.data.shard import labels_of
from speckle_core.experiment.experiment import Experiment
from speckle_core.files import write_bytes

_MOST_JOINED = 4096


@attrs.frozen
class _Part:
    """One column of particles in one shard."""

    shard: str
    rows: int
    tail: tuple[int, ...]
    dtype: np.dtype[Any]
    attributes: dict[str, str]


def build_master(folder: Path, manifest: Manifest) -> bytes:
    """Return the bytes of the master file of a set whose shards are all finished.

    Raises
    ------
    DataError
        When a shard cannot be read.
    """
    experiment, grid, store = manifest.experiment, manifest.grid, manifest.experiment.storage.store
    records = manifest.shards[:_MOST_JOINED]
    shown = Shard(0, 0, sum(record.count for record in records))
    title = f"{_kind(experiment)} speckle patterns: {experiment.name}"
    if shown.count < experiment.patterns:
        title += f", the first {shown.count} of {experiment.patterns}"
    memory = io.BytesIO()
    with h5py.File(memory, "w", libver=LIBVER) as file:
        home = skeleton(
            file,
            title=title,
            grid=grid,
            labels=labels_of(experiment, shown),
            recipe=experiment.to_dict(),
            version=manifest.versions.get("speckle-core"),
            store=store,
        )
        parts = [(r.name, r.count) for r in records]
        data = None
        if store != "recipe":
            rows = grid.size - (grid.origin if store == "half" else 0)
            # Patterns of a lost shard read as NaN rather than 0.
            tail = (rows, grid.size)
            data = _joined(home, "data", DATA, parts, tail, np.dtype("<f4"), np.nan)
        # nexusformat takes the number of source files as the length of a virtual dataset, so axis
        # and signal match only if both are virtual.
        numbers = _joined(home, "pattern", NUMBERS, parts, (), np.dtype("<i8"), -1)
        describe(data, numbers, recorded=experiment.detector is not None)
        masks = experiment.detector is not None or experiment.imported is not None
        if masks and _any_masked(folder, records):
            # 0, that every pixel counts, in a shard without a mask.
            _joined(home, "mask", MASK, parts, grid.shape, np.dtype("u1"), 0)
        if experiment.imported is None:
            _particles(file[ENTRY], folder, records)
    return memory.getvalue()


def _any_masked(folder: Path, records: Sequence[Record]) -> bool:
    for record in records:
        with open_file(folder / record.name) as file:
            if is_there(file, MASK):
                return True
    return False


def _kind(experiment: Experiment) -> str:
    return "Simulated" if experiment.imported is None else "Measured"


def write_master(folder: Path, manifest: Manifest) -> Manifest:
    """Write the master file and the manifest that records it to `folder`; return the manifest.

    Raises
    ------
    DataError
        When a shard cannot be read.
    OutputError
        When the disk is full.
    """
    data = build_master(folder, manifest)
    write_bytes(folder / MASTER, data)
    patterns = sum(shard.count for shard in manifest.shards[:_MOST_JOINED])
    record = Record(
        name=MASTER,
        sha256=hashlib.sha256(data).hexdigest(),
        bytes=len(data),
        shape=(patterns, *manifest.grid.shape),
        first=0,
        count=patterns,
    )
    manifest = attrs.evolve(manifest, master=record)
    manifest.write(folder)
    return manifest


def _joined(
    home: h5py.Group,
    name: str,
    path: str,
    parts: list[tuple[str, int]],
    tail: tuple[int, ...],
    dtype: np.dtype[Any],
    missing: float,
) -> h5py.Dataset:
    """Return a new virtual dataset that joins those at `path` in `parts` (file, rows).

    A missing file reads as `missing`. This uses HDF5's low-level functions, since h5py's would
    store the time, and equal input would not give equal bytes.
    """
    total = sum(rows for _, rows in parts)
    space = h5py.h5s.create_simple((total, *tail))
    settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    settings.set_obj_track_times(False)
    settings.set_fill_value(np.full((), missing, dtype))
    start = 0
    for file, rows in parts:
        space.select_hyperslab((start, *(0 for _ in tail)), (rows, *tail))
        source = h5py.h5s.create_simple((rows, *tail))
        settings.set_virtual(space, file.encode(), path.encode(), source)
        start += rows
    space.select_all()
    kind = h5py.h5t.py_create(dtype, logical=True)
    return h5py.Dataset(h5py.h5d.create(home.id, name.encode(), kind, space, settings))


def _particles(entry: h5py.Group, folder: Path, records: Sequence[Record]) -> None:
    """Join the columns of all shards; skip those whose type or shape differs between shards."""
    found: dict[str, list[_Part]] = {}
    classes: dict[str, str] = {}
    for record in records:
        with open_file(folder / record.name) as file:
            for name, item in _below(file, PARTICLES):
                if isinstance(item, h5py.Group):
                    classes.setdefault(name, str(item.attrs.get("class", "")))
                    continue
                check_place(item)
                attributes = {str(k): str(v) for k, v in item.attrs.items()}
                part = _Part(record.name, len(item), item.shape[1:], item.dtype, attributes)
                found.setdefault(name, []).append(part)
    home = group(entry, PARTICLES.rsplit("/", 1)[1], "NXcollection", unit_of_length=LENGTH)
    for name, kind in classes.items():
        group(home, name, "NXcollection", **{"class": kind})
    for name, parts in found.items():
        if len({(part.tail, part.dtype) for part in parts}) > 1:
            continue
        pieces = [(part.shard, part.rows) for part in parts]
        joined = _joined(
            home, name, f"{PARTICLES}/{name}", pieces, parts[0].tail, parts[0].dtype, 0
        )
        for key, value in parts[0].attributes.items():
            joined.attrs[key] = value


def _below(file: h5py.File, path: str) -> Iterator[tuple[str, Any]]:
    """Iterate over the groups and datasets below `path`, with names relative to it."""
    for name in find(file, path):
        item = find(file, f"{path}/{name}")
        yield name, item
        if isinstance(item, h5py.Group):
            yield from ((f"{name}/{key}", below) for key, below in _below(file, f"{path}/{name}"))

"""Build one shard, a pure function of (experiment, seed, number), as the bytes of an HDF5 file.

It is built in memory, because an HDF5 file whose writing is interrupted by a kill or a full disk
can be left unreadable, or readable but filled with zeros. Sets of layout 1 are completed and
repaired in their own layout.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import attrs
import h5py
import numpy as np
from numpy.typing import NDArray

from speckle_core.contracts.geometry import Configuration
from speckle_core.data.around import Around, Buffer
from speckle_core.data.columns import Columns
from speckle_core.data.half import check_symmetric
from speckle_core.data.nexus import (
    CHECKSUMS,
    DATA,
    ENTRY,
    LIBVER,
    MASK,
    describe,
    field,
    skeleton,
)
from speckle_core.data.plan import Shard
from speckle_core.data.shard import FLOAT, checksums, labels_of
from speckle_core.experiment.experiment import Experiment, recipe_of
from speckle_core.experiment.pipeline import Pipeline

#: The layout of shards that are made now; manifests of version 1 name an older one.
LAYOUT = 2
# Approximate bytes of patterns simulated at once. Fixed, since the batch size can change the last
# bits of a matrix product.
_BATCH = 4 * 2**20
_DATA, _MASK, _CHECKSUM = (path.rsplit("/", 1)[1] for path in (DATA, MASK, CHECKSUMS))


@attrs.define(eq=False)
class Scratch:
    """Memory for the patterns of one shard, kept because fresh pages cost as much as a copy."""

    _kept: NDArray[np.float32] | None = None

    def stack(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Return an array of this shape; its values, and those of earlier ones, are undefined."""
        if self._kept is None or self._kept.shape[1:] != shape[1:] or len(self._kept) < shape[0]:
            self._kept = np.empty(shape, FLOAT)
        return self._kept[: shape[0]]


def build(
    pipeline: Pipeline,
    experiment: Experiment,
    shard: Shard,
    scratch: Scratch,
    *,
    layout: int = LAYOUT,
    on_progress: Callable[[int], None] | None = None,
) -> list[Buffer]:
    """Return the bytes of one shard of the resolved `experiment`, in pieces.

    They are valid until `scratch` is used again.

    Raises
    ------
    PackingError, PluginError
        From the sampler, the scatterer or the detector.
    """
    store, grid = experiment.storage.store, pipeline.grid
    columns = Columns(packed=store == "recipe")
    first = grid.origin if store == "half" else 0
    shape = (0 if store == "recipe" else shard.count, grid.size - first, grid.size)
    patterns = scratch.stack(shape)
    sums = np.empty(shard.count, np.uint32)
    mask: NDArray[np.uint8] | None = None
    for rows, drawn, recorded, valid in _batches(pipeline, experiment, shard):
        for i, configuration in zip(rows, drawn, strict=True):
            columns.add(shard.first + i, configuration)
        here = slice(rows.start, rows.stop)
        if store == "half":
            check_symmetric(recorded, valid)
        if store == "recipe":
            sums[here] = checksums(recorded)
        else:
            patterns[here] = recorded[:, first:]
            sums[here] = checksums(patterns[here])
            if valid is not None:
                mask = np.zeros(shape, np.uint8) if mask is None else mask
                mask[here] = ~valid
        if on_progress is not None:
            on_progress(len(rows))
    if layout == 1:
        return _write_layout_1(experiment, shard, patterns, mask, columns)
    return _write(experiment, shard, patterns, sums, mask, columns)


def build_measured(
    frames: Iterable[tuple[NDArray[np.floating[Any]], NDArray[np.bool_]]],
    experiment: Experiment,
    shard: Shard,
) -> list[Buffer]:
    """Return the bytes of one shard of patterns and their measured pixels, each (ny, nx)."""
    patterns = np.empty((shard.count, *experiment.kgrid().shape), FLOAT)
    mask: NDArray[np.uint8] | None = None
    for place, (pattern, measured) in enumerate(frames):
        patterns[place] = np.where(measured, pattern, 0)
        if not measured.all():
            mask = np.zeros(patterns.shape, np.uint8) if mask is None else mask
            mask[place] = ~measured
    return _write(experiment, shard, patterns, checksums(patterns), mask)


def _batch(size: int) -> int:
    """Return how many patterns of `size` pixels a side are simulated at once."""
    return max(1, _BATCH // (4 * size**2))


def _batches(
    pipeline: Pipeline, experiment: Experiment, shard: Shard
) -> Iterator[tuple[range, list[Configuration], NDArray[np.float32], NDArray[np.bool_] | None]]:
    """Iterate over rows of the shard, their configurations, recorded patterns and valid pixels."""
    labels, each = labels_of(experiment, shard), experiment.structure.patterns_per_count
    # One by one where they are computed one by one again.
    size = 1 if experiment.storage.store == "recipe" else _batch(pipeline.grid.size)
    for start in range(0, shard.count, size):
        rows = range(start, min(start + size, shard.count))
        places = [(int(labels[i]), (shard.first + i) % each) for i in rows]
        drawn = [pipeline.draw(count, number, experiment.seed) for count, number in places]
        recorded = pipeline.record(pipeline.simulate(drawn), places, experiment.seed)
        yield rows, drawn, *recorded


def _write(
    experiment: Experiment,
    shard: Shard,
    patterns: NDArray[np.float32],
    sums: NDArray[np.uint32],
    mask: NDArray[np.uint8] | None,
    columns: Columns | None = None,
) -> list[Buffer]:
    """Return a file whose contiguous patterns, if it has any, are those in memory; see `Around`."""
    around = Around()
    with h5py.File(around, "w", libver=LIBVER) as file:
        home = _skeleton(file, experiment, shard)
        about = "sum of the 32-bit words of each pattern, modulo 2**32"
        field(home, _CHECKSUM, sums, units="", long_name=about)
        numbers = _numbers(home, shard)
        if mask is not None:
            _describe_mask(home.create_dataset(_MASK, data=mask, track_times=False))
        if columns is not None:
            columns.write(file[ENTRY])
        data = around.reserve(home, _DATA, patterns.shape, FLOAT) if patterns.size else None
        describe(data, numbers, recorded=experiment.detector is not None)
    return around.pieces(patterns)


def _write_layout_1(
    experiment: Experiment,
    shard: Shard,
    patterns: NDArray[np.float32],
    mask: NDArray[np.uint8] | None,
    columns: Columns,
) -> list[Buffer]:
    """Return a file of layout 1: a chunk for each pattern, with HDF5's own checksum."""
    memory = io.BytesIO()
    chunks: dict[str, Any] = {"chunks": (1, *patterns.shape[1:]), "fletcher32": True}
    with h5py.File(memory, "w", libver=LIBVER) as file:
        home = _skeleton(file, experiment, shard)
        data = home.create_dataset(_DATA, patterns.shape, "f4", **chunks, track_times=False)
        describe(data, _numbers(home, shard), recorded=experiment.detector is not None)
        size = _batch(patterns.shape[-1])
        # In the order in which they were written, which is the order of the chunks in the file.
        for rows in (slice(start, start + size) for start in range(0, shard.count, size)):
            data[rows] = patterns[rows]
            if mask is not None and mask[rows].any():
                if _MASK not in home:
                    made = home.create_dataset(
                        _MASK, mask.shape, np.uint8, **chunks, track_times=False
                    )
                    _describe_mask(made)
                home[_MASK][rows] = mask[rows]
        columns.write(file[ENTRY])
    return [memory.getvalue()]


def _skeleton(file: h5py.File, experiment: Experiment, shard: Shard) -> h5py.Group:
    """Write what does not depend on the patterns; return the NXdata group."""
    last = shard.first + shard.count - 1
    kind = "Simulated" if experiment.imported is None else "Measured"
    return skeleton(
        file,
        title=f"{kind} speckle patterns {shard.first} to {last}",
        grid=experiment.kgrid(),
        labels=labels_of(experiment, shard),
        recipe=recipe_of(experiment),
        store=experiment.storage.store,
    )


def _numbers(home: h5py.Group, shard: Shard) -> h5py.Dataset:
    numbers = np.arange(shard.first, shard.first + shard.count, dtype=np.int64)
    return field(home, "pattern", numbers)


def _describe_mask(mask: h5py.Dataset) -> None:
    mask.attrs["long_name"] = "pixel mask: 0 where a pixel counts"
    mask.attrs["units"] = ""

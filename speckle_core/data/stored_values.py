"""Quantities of stored configurations, read from the particles beside the patterns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from speckle_core.analysis.quantities import Bodies, QuantityName, values_of
from speckle_core.data.columns import INDEX
from speckle_core.data.hdf5 import check, find, is_there, open_file
from speckle_core.data.nexus import PARTICLES
from speckle_core.data.plan import Plan
from speckle_core.errors import DataError

Array = NDArray[np.float64]


def stored_values(folder: Path, shards: Plan, quantity: QuantityName) -> Array:
    """Return the quantity of every pattern of the set in `folder`, (N,).

    Raises
    ------
    DataError
        When a shape lacks the field that the quantity needs, or a file is damaged.
    """
    found = []
    for shard in shards:
        path = folder / shard.name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise DataError("is a link out of the data set folder", where=str(path))
        with open_file(path) as file:
            boxes = _read(file, f"{PARTICLES}/box", np.float64)
            shapes = list(_shapes(file, shard.first, shard.count))
            if boxes.shape != (shard.count,):
                raise DataError("its particles are damaged", where=str(path))
        found.append(values_of(quantity, shapes, boxes))
    return np.concatenate(found)


def _shapes(file: h5py.File, first: int, count: int) -> Iterator[Bodies]:
    """Iterate over the shapes of a shard whose first pattern is number `first` of the set."""
    for name, item in find(file, PARTICLES).items():
        if not isinstance(item, h5py.Group):
            continue
        owner = _read(file, f"{PARTICLES}/{name}/{INDEX}", np.int64) - first
        if owner.size and not 0 <= owner.min() <= owner.max() < count:
            raise DataError(f"its {name} are damaged", where=str(file.filename))
        columns = {}
        for column in ("radii", "areas"):
            place = f"{PARTICLES}/{name}/{column}"
            values = _read(file, place, np.float64) if is_there(file, place) else None
            columns[column] = values if values is not None and values.shape == owner.shape else None
        yield Bodies(owner, columns["radii"], columns["areas"], name)


def _read(file: h5py.File, place: str, kind: type[np.float64 | np.int64]) -> NDArray[Any]:
    found = find(file, place)
    if not isinstance(found, h5py.Dataset):
        raise DataError("is not a dataset", where=f"{file.filename}: {place}")
    check(found)
    return np.asarray(found[()], dtype=kind)

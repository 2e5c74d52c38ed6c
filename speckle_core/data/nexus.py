"""The layout of an HDF5 file of patterns: NeXus, with the names of CXI 1.6.

Shards and master file share the skeleton written here, so that silx, h5web and nexusformat show a
speckle pattern when either is opened. Equal input gives equal bytes: times, versions and file names
must not enter a shard.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np
from numpy.typing import ArrayLike

from speckle_core.contracts.arrays import IntArray
from speckle_core.contracts.grid import KGrid

#: The oldest format, which all readers know and which stores no times; HDF5 raises it where virtual
#: datasets need it.
LIBVER = ("earliest", "v110")
ENTRY = "/entry_1"
DATA = "/entry_1/data_1/data"
MASK = "/entry_1/data_1/mask"
NUMBERS = "/entry_1/data_1/pattern"
CHECKSUMS = "/entry_1/data_1/checksum"
LABELS = "/entry_1/data_1/labels"
PARTICLES = "/entry_1/particles"
EXPERIMENT = "/entry_1/process_1/experiment/data"

#: Lengths are in the unit of the box, which the paper does not specify ("unit pixels").
LENGTH = "length"
UNITS = {"length": LENGTH, "k": f"1/{LENGTH}", "intensity": f"{LENGTH}^4"}


_ONE_CHUNK = 2**20
_ABOUT = {
    "half": " Only ky >= 0 is stored: I(-kx, -ky) = I(kx, ky).",
    "recipe": " Only the particles are stored; speckle-core computes the patterns when it reads.",
}


def group(parent: h5py.Group, name: str, nexus: str, **attributes: Any) -> h5py.Group:
    """Return a new group of the NeXus class `nexus`."""
    made = parent.create_group(name)
    made.attrs["NX_class"] = nexus
    for key, value in attributes.items():
        made.attrs[key] = value
    return made


def field(
    parent: h5py.Group,
    name: str,
    value: ArrayLike | str,
    *,
    packed: bool = False,
    **attributes: Any,
) -> h5py.Dataset:
    """Return a new dataset of `value`, with attributes such as ``units``; `packed`: compressed."""
    packing: dict[str, Any] = {}
    if packed:
        array = np.asarray(value)
        chunks = array.shape if array.nbytes < _ONE_CHUNK else True
        packing = {"compression": "gzip", "shuffle": True, "chunks": chunks}
    made = parent.create_dataset(name, data=value, track_times=False, **packing)
    for key, text in attributes.items():
        made.attrs[key] = text
    return made


def skeleton(
    file: h5py.File,
    *,
    title: str,
    grid: KGrid,
    labels: IntArray,
    recipe: Mapping[str, Any],
    version: str | None = None,
    store: str = "whole",
) -> h5py.Group:
    """Write everything but the patterns, their numbers and particles; return the NXdata group.

    Parameters
    ----------
    file : h5py.File
        New and empty.
    title : str
        One line, shown by viewers.
    grid : KGrid
        The grid of the patterns.
    labels : array of int, (N,)
        The class of each pattern.
    recipe : mapping
        The resolved experiment, or the part of it that determines the patterns.
    version : str, optional
        Of speckle-core; not given for a shard, whose bytes must not depend on it.
    store : str
        How patterns are stored; see `Storage`.
    """
    file.attrs["NX_class"] = "NXroot"
    file.attrs["default"] = "entry_1"
    file.attrs["creator"] = "speckle-core"
    field(file, "cxi_version", np.int32(160), units="")
    entry = group(file, "entry_1", "NXentry", default="data_1")
    field(entry, "title", title, units="")
    measured = "imported" in recipe
    about = "Simulated far-field speckle patterns. Nothing here was measured."
    if measured:
        about = "Measured far-field speckle patterns, brought to one grid."
    about += _ABOUT.get(store, "")
    field(entry, "experiment_description", about, units="")
    source = group(group(entry, "instrument_1", "NXinstrument"), "source_1", "NXsource")
    made_by = "not recorded" if measured else "simulation"
    field(source, "name", made_by, units="", short_name=made_by)
    field(source, "probe", "x-ray", units="")

    process = group(entry, "process_1", "NXprocess")
    field(process, "program", "speckle-core", units="")
    field(process, "sequence_index", np.int32(1), units="")
    if version is not None:
        field(process, "version", version, units="")
    note = group(process, "experiment", "NXnote")
    field(note, "type", "application/json", units="")
    field(note, "description", "The experiment, every default written out", units="")
    field(note, "data", json.dumps(recipe, sort_keys=True, allow_nan=False), units="")

    data = group(entry, "data_1", "NXdata")
    if store != "recipe":
        data.attrs["signal"] = "data"
    data.attrs["axes"] = ["pattern", "y", "x"]
    data.attrs["default_slice"] = ["0", ".", "."]
    data.attrs["SILX_style"] = json.dumps({"signal_scale_type": "log"})
    data.attrs["title"] = title
    for index, name in enumerate(("pattern", "y", "x")):
        data.attrs[f"{name}_indices"] = np.int32(index)
    data.attrs["labels_indices"] = np.int32(0)
    for name, first in (("y", grid.origin if store == "half" else 0), ("x", 0)):
        field(data, name, grid.axis[first:], units=UNITS["k"], long_name=f"k{name}")
    field(data, "labels", labels, units="", long_name="number of particles")
    return data


def describe(data: h5py.Dataset | None, numbers: h5py.Dataset, *, recorded: bool = False) -> None:
    """Add the attributes of `data`, a stack of images, if stored, and of its pattern `numbers`.

    They hold intensities, or what a detector `recorded` of these.
    """
    numbers.attrs["units"] = ""
    numbers.attrs["long_name"] = "pattern"
    if data is None:
        return
    if data.shape[1] != data.shape[2]:
        data.attrs["store"] = "half"
    data.attrs["units"] = "" if recorded else UNITS["intensity"]
    data.attrs["long_name"] = "detector signal" if recorded else "intensity"
    data.attrs["interpretation"] = "image"

"""How an HDF5 file says which of its arrays are the frames: NeXus' marks, CXI's place, names.

Attributes come in every spelling that programs write: text or bytes, alone or as an array of one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import h5py
import numpy as np

from speckle_core import (
    DataError,
    check_hdf5,
    find_hdf5,
    list_hdf5,
    read_hdf5_attribute,
    walk_hdf5,
)
from speckle_readers.choice import choose, is_beside, is_pattern

CXI = "/entry_1/data_1/data"
# Beside which speckle-core stores patterns, unless they are to be computed again.
_PARTICLES, _NUMBERED = "/entry_1/particles", "/entry_1/data_1/pattern"
_NUMBERS = "iuf"
_SERIES = re.compile(r"(?P<stem>.*?)(?P<number>\d{3,})")


@attrs.frozen
class Chosen:
    """The data sets that hold the frames, in order; what is to be said of them; the way there."""

    name: str
    parts: tuple[Any, ...]
    notes: tuple[str, ...] = ()


def text(value: Any) -> str | None:
    """Return an attribute as text, whatever way it was written; None when it is not text."""
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(-1)[0]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").strip("\0 ")
    return str(value) if isinstance(value, str) else None


def texts(value: Any) -> list[str]:
    """Return an attribute that lists names; one text may separate them by ``:`` or ``,``."""
    if isinstance(value, np.ndarray):
        return [text(v) or "" for v in value.reshape(-1)]
    one = text(value)
    return [] if one is None else [part for part in re.split(r"[:,]", one.strip("[]")) if part]


def is_frames(dataset: Any) -> bool:
    """Say whether an HDF5 data set may hold frames; true or false are not counts."""
    return _is_array(dataset) and dataset.dtype.kind in _NUMBERS


def _is_array(dataset: Any) -> bool:
    return (
        isinstance(dataset, h5py.Dataset)
        and dataset.shape is not None
        and dataset.dtype.kind in "iufb"
        and is_pattern(dataset.shape)
    )


def find_frames(file: h5py.File, folder: Path, name: str | None) -> Chosen:
    """Return the frames called `name`, or those that the file means.

    Raises
    ------
    DataError
        When there are none, or several that could be.
    """
    if name is not None:
        return _named(file, folder, name)
    if _is_there(file, CXI):
        return Chosen(CXI, (find_hdf5(file, CXI, folder=folder),))
    if _is_there(file, _PARTICLES) and _is_there(file, _NUMBERED):
        raise DataError(
            "contains particles and no patterns: the set was stored as a recipe",
            where=file.filename,
            hint="Give the folder of the data set, from which the patterns are computed.",
        )
    series = list(_series(file, folder))
    # MATLAB keeps the insides of its cells below '#refs#'.
    listed = [
        d
        for d in list_hdf5(file, folder=folder)
        if _is_array(d) and not d.name.startswith("/#") and not _in_series(d.name, series)
    ]
    candidates = {d.name: d for d in listed if is_frames(d) and not is_beside(d.name)}
    if len(candidates) + len(series) != 1:
        # Text in attributes comes last: it is what HDF5 reads least safely in a damaged file.
        marked = _marked(file, folder)
        if marked is not None:
            return _named(file, folder, marked)
    if len(series) == 1 and not candidates:
        return series[0]
    shapes = {n: d.shape for n, d in candidates.items()}
    shapes |= {s.name: (len(s.parts), *s.parts[0].shape[-2:]) for s in series}
    others = [d.name for d in listed if d.name not in candidates]
    found = choose(shapes, file.filename, others)
    return Chosen(found, (candidates[found],)) if found in candidates else series[0]


def _is_there(file: h5py.File, path: str) -> bool:
    try:
        find_hdf5(file, path)
    except DataError as error:
        return not error.what.startswith("is missing")
    return True


def _named(file: h5py.File, folder: Path, name: str) -> Chosen:
    found = find_hdf5(file, name, folder=folder)
    if isinstance(found, h5py.Dataset):
        return Chosen(found.name, (found,))
    inside = _signal(file, folder, name)
    if inside is not None:
        return _named(file, folder, inside)
    series = list(_series(found, folder))
    if len(series) == 1:
        return series[0]
    raise DataError("is a group, not a dataset", where=f"{file.filename}: {name}")


def _marked(file: h5py.File, folder: Path) -> str | None:
    """Return the path that NeXus' ``@default`` and ``@signal`` give for the data, if they do."""
    path, here = "", file
    for _ in range(8):
        if (signal := _signal(file, folder, path or "/")) is not None:
            return signal
        value = text(read_hdf5_attribute(here, "default"))
        if not value:
            break
        path = value if value.startswith("/") else f"{path}/{value}"
        here = _follow(file, path, folder, "the default")
        if isinstance(here, h5py.Dataset):
            return path
    # Without the chain, the only group that marks a signal will do.
    groups = ["/", *(item.name for item in walk_hdf5(file) if isinstance(item, h5py.Group))]
    signals = {s for g in groups if (s := _signal(file, folder, g)) is not None}
    return signals.pop() if len(signals) == 1 else None


def _follow(file: h5py.File, path: str, folder: Path, mark: str) -> Any:
    """Return what a mark leads to; an error says of what it is the mark."""
    try:
        return find_hdf5(file, path, folder=folder)
    except DataError as error:
        raise DataError(
            f"is marked as {mark}, but {error.what}",
            where=error.where,
            hint=error.hint or "Choose an array with --dataset.",
        ) from error


def _signal(file: h5py.File, folder: Path, path: str) -> str | None:
    """Return the path of the array that a group marks: ``@signal``, or an array's ``signal=1``."""
    group = find_hdf5(file, path, folder=folder) if path != "/" else file
    if not isinstance(group, h5py.Group):
        return None
    value = text(read_hdf5_attribute(group, "signal"))
    if value:
        full = value if value.startswith("/") else f"{path.rstrip('/')}/{value}"
        found = _follow(file, full, folder, f"the signal of {path}")
        return full if is_frames(found) else None
    for name in group:
        if isinstance(group.get(name, getlink=True), h5py.ExternalLink) or name not in group:
            continue
        item = group[name]
        mark = read_hdf5_attribute(item, "signal") if isinstance(item, h5py.Dataset) else None
        if mark is None:
            continue
        if (text(mark) or str(np.asarray(mark).reshape(-1)[0])).strip() == "1" and is_frames(item):
            return f"{path.rstrip('/')}/{name}"
    return None


def _series(top: h5py.Group, folder: Path) -> Iterator[Chosen]:
    """Iterate over runs of numbered arrays in one group, as EIGER's master files link to them."""
    groups = [top, *(item for item in walk_hdf5(top) if isinstance(item, h5py.Group))]
    for group in groups:
        if group.name.startswith("/#"):
            continue
        stems: dict[str, list[str]] = {}
        for name in group:
            if (numbered := _SERIES.fullmatch(name)) and not is_beside(numbered["stem"]):
                stems.setdefault(numbered["stem"], []).append(name)
        for stem, names in stems.items():
            linked = any(isinstance(group.get(n, getlink=True), h5py.ExternalLink) for n in names)
            if len(names) > 1 or linked:
                found = _joined(group, stem, sorted(names), folder)
                if found is not None:
                    yield found


def _joined(group: h5py.Group, stem: str, names: list[str], folder: Path) -> Chosen | None:
    """Return the arrays of one run.

    Those that are missing are noted; if all are, it is an error.
    """
    parts, lacking, first = [], [], None
    for name in names:
        path = f"{group.name.rstrip('/')}/{name}"
        try:
            item = find_hdf5(group.file, path, folder=folder)
            check_hdf5(item, folder=folder)
        except DataError as error:
            first = first or error
            lacking.append(f"{path} is left out: {error.where}: {error.what}")
            continue
        if not is_frames(item) or item.ndim > 3:
            return None
        parts.append(item)
    if not parts:
        if first is not None and isinstance(group.get(names[0], getlink=True), h5py.ExternalLink):
            raise first
        return None
    if len({(p.shape[-2:], p.dtype) for p in parts}) > 1:
        return None
    home = group.name.rstrip("/")
    name = f"{home}/{names[0]}" if len(names) == 1 else f"{home}/{stem}*"
    return Chosen(name, tuple(parts), tuple(lacking))


def _in_series(name: str, series: list[Chosen]) -> bool:
    return any(part.name == name for s in series for part in s.parts)

"""MATLAB up to v7.3: variables, cells, fields of structs; the last axis counts a stack."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import h5py
import numpy as np
from numpy.typing import NDArray

from speckle_core import (
    DataError,
    Frames,
    check_array,
    check_hdf5,
    check_matlab,
    find_hdf5,
    list_hdf5,
    open_hdf5,
    read_hdf5_attribute,
)
from speckle_readers.choice import choose, counted_first, is_beside, is_pattern
from speckle_readers.marks import is_frames, text

_KINDS = {"single": "<f4", "double": "<f8", "logical": "?"} | {
    f"{sign}int{bits}": f"<{sign or 'i'}{bits // 8}"
    for sign in ("", "u")
    for bits in (8, 16, 32, 64)
}
#: Most frames of one cell array.
_CELLS = 100_000


@attrs.frozen(kw_only=True)
class Matlab:
    """Reads frames out of MATLAB's files."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The endings of its files."""
        return (".mat",)

    def matches(self, head: bytes) -> bool:
        """Say whether a file that begins so is one of MATLAB's."""
        return head.startswith((b"MATLAB 5.0", b"MATLAB 7.3"))

    def read(
        self, path: Path, *, dataset: str | None = None, frames_axis: int | None = None
    ) -> Frames:
        """Return the frames of a variable, a cell array or a field, by its path ``scan.frames``."""
        if h5py.is_hdf5(path):
            name, values = _of_hdf5(path, dataset)
        else:
            name, values = _of_version_5(path, dataset)
        source = f"{path}: {name}"
        if isinstance(values, list):
            return _cells(values, path, name)
        check_array(values.shape, values.dtype, source)
        axis = _counting(values, frames_axis, source)
        return Frames.from_array(np.moveaxis(values, axis, 0), path=str(path), dataset=name)


def _cells(values: list[NDArray[Any]], path: Path, name: str) -> Frames:
    shapes = {v.shape for v in values}
    if len(shapes) > 1 or len(next(iter(shapes))) != 2:
        raise DataError(
            f"is a cell array whose cells have the shapes {sorted(shapes)[:5]}, not one pattern "
            "each",
            where=f"{path}: {name}",
        )
    return Frames.from_array(np.stack(values), path=str(path), dataset=name)


def _counting(values: NDArray[Any], axis: int | None, source: str) -> int:
    """Return the axis that counts: MATLAB's last, unless only its last two are of equal length."""
    if values.ndim < 3 or axis is not None:
        return counted_first(values.shape, axis, source)
    counted_first_ = values.shape[1] == values.shape[2] != values.shape[0]
    return 0 if counted_first_ and values.ndim == 3 else values.ndim - 1


def _of_hdf5(path: Path, wanted: str | None) -> tuple[str, Any]:
    folder = path.resolve().parent
    with open_hdf5(path) as file:
        named = "/" + wanted.strip("/").replace(".", "/") if wanted else None
        if named is None:
            listed = list(list_hdf5(file, folder=folder))
            able = [d for d in listed if not d.name.startswith("/#")]
            shapes = {d.name: d.shape[::-1] for d in able if is_frames(d) and not is_beside(d.name)}
            shapes |= {d.name: d.shape for d in able if _is_cell(d)}
            named = choose(shapes, str(path))
        # MATLAB's own names may hold what was taken for a path, such as '#refs#/a'.
        found = find_hdf5(file, named)
        name = found.name.strip("/").replace("/", ".")
        if _is_cell(found):
            return name, [_numbers(file[ref]) for ref in _refs(found)]
        if not isinstance(found, h5py.Dataset):
            raise DataError(
                "is a struct, not an array",
                where=f"{path}: {name}",
                hint=f"Name a field of it: {', '.join(f'{name}.{key}' for key in found)}.",
            )
        return name, _numbers(found)


def _is_cell(dataset: Any) -> bool:
    return (
        isinstance(dataset, h5py.Dataset)
        and text(read_hdf5_attribute(dataset, "MATLAB_class")) == "cell"
        and h5py.check_ref_dtype(dataset.dtype) is h5py.Reference
        and dataset.size <= _CELLS
    )


def _refs(cells: Any) -> Iterator[Any]:
    # MATLAB counts cells down its columns, which HDF5 sees as rows.
    return iter(cells[()].reshape(-1))


def _numbers(dataset: Any) -> NDArray[Any]:
    """Return an array as MATLAB sees it; HDF5 sees every axis in reverse."""
    check_hdf5(dataset)
    check_array(dataset.shape, dataset.dtype, f"{dataset.file.filename}: {dataset.name}")
    values: NDArray[Any] = np.asarray(dataset[()]).transpose()
    return values


def _of_version_5(path: Path, wanted: str | None) -> tuple[str, Any]:
    import scipy.io

    check_matlab(path)
    listed = {name: (shape, kind) for name, shape, kind in scipy.io.whosmat(path)}
    if wanted is None:
        shapes = {
            n: shape
            for n, (shape, kind) in listed.items()
            if kind in _KINDS and kind != "logical" and is_pattern(shape) and not is_beside(n)
        }
        # Structs and cells are opened only where no plain array is there.
        others = [n for n, (_, kind) in listed.items() if kind in ("cell", "struct")]
        wanted = others[0] if not shapes and len(others) == 1 else choose(shapes, str(path))
    top, *fields = wanted.split(".")
    if top not in listed:
        raise DataError(
            f"has no variable {top!r}",
            where=str(path),
            hint=f"It has {', '.join(listed) or 'none'}.",
        )
    shape, kind = listed[top]
    stored = path.stat().st_size
    if kind in _KINDS:
        check_array(shape, np.dtype(_KINDS[kind]), f"{path}: {top}", stored=stored)
    elif kind not in ("cell", "struct"):
        raise DataError(f"is a MATLAB {kind}, not an array of real numbers", where=f"{path}: {top}")
    # All that a struct holds is in the file, at most so many times as large.
    check_array((stored, 1), np.dtype("u1"), f"{path}: {top}")
    loaded = scipy.io.loadmat(path, variable_names=[top], simplify_cells=False)[top]
    return _inside(loaded, top, fields, path)


def _inside(value: Any, name: str, fields: list[str], path: Path) -> tuple[str, Any]:
    """Return what lies at the end of the fields of a struct."""
    where = f"{path}: {name}"
    if value.dtype.names is not None and value.size == 1:
        inner = {n: value.reshape(-1)[0][n] for n in value.dtype.names}
        if not fields:
            shapes = {
                n: v.shape
                for n, v in inner.items()
                if v.dtype.kind in "iufO" and is_pattern(v.shape)
            }
            fields = [choose(shapes, where)]
        if fields[0] not in inner:
            raise DataError(
                f"has no field {fields[0]!r}", where=where, hint=f"It has {', '.join(inner)}."
            )
        return _inside(inner[fields[0]], f"{name}.{fields[0]}", fields[1:], path)
    if fields:
        raise DataError(f"is not a struct with the field {fields[0]!r}", where=where)
    if value.dtype.kind == "O":
        cells = list(value.reshape(-1, order="F"))
        if not all(isinstance(c, np.ndarray) and c.dtype.kind in "iufb" for c in cells):
            raise DataError("is a MATLAB cell, not an array of real numbers", where=where)
        return name, cells
    return name, value

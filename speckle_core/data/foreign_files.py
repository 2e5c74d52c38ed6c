"""Read patterns from files of other programs: HDF5, NumPy, MATLAB, TIFF.

`read_patterns` finds the patterns in a file and returns where it found them. Files are untrusted:
no code in them runs, no other file is opened on their behalf, and no more memory is allocated than
their size justifies. Whether the values make sense is left to the caller.
"""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speckle_core.contracts.arrays import FloatArray
from speckle_core.data.limits import check_npy
from speckle_core.errors import DataError

#: Largest array that is read at once [bytes].
LIMIT = 4 * 2**30
# Deflate, the strongest of the usual compressions, gains at most a factor of 1032.
_STRONGEST = 1100
_NUMBERS = "iuf"
_CXI = "/entry_1/data_1/data"
# tifffile logs its complaints about damaged files; the user gets one error instead.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


def read_patterns(
    path: str | os.PathLike[str], *, dataset: str | None = None
) -> tuple[FloatArray, str]:
    """Return the patterns in a file, and where in the file they were found.

    Parameters
    ----------
    path : path
        HDF5 (``.h5 .hdf5 .nxs .cxi``, including our own ``patterns.h5``), ``.npy``, MATLAB up to
        v7.3 (``.mat``) or TIFF (``.tif .tiff``), containing one pattern or a stack.
    dataset : str, optional
        The HDF5 dataset or MATLAB variable. By default CXI's ``/entry_1/data_1/data``, else the
        only array of two or three dimensions, else the file's default plot (NeXus).

    Returns
    -------
    patterns : array, (B, ny, nx)
        Unchanged values, float32 or, where that would round, float64; NaN is kept.
    source : str
        The file, and the dataset or variable in it.

    Raises
    ------
    DataError
        When the file is missing, damaged, of an unknown kind, declares more data than it can
        contain, or contains no candidate or several.

    Notes
    -----
    The stack axis of a MATLAB array is the last one, as in MATLAB, unless only the last two axes
    are of equal length.
    """
    path = Path(path)
    where = str(path)
    if not path.exists():
        raise DataError("file not found", where=where)
    if not path.is_file():
        raise DataError("is not a file", where=where)
    if path.stat().st_size == 0:
        raise DataError("is empty", where=where)
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise DataError(
            f"has the unknown suffix {path.suffix!r}",
            where=where,
            hint=f"These can be read: {' '.join(_READERS)}.",
        )
    try:
        values, source = read(path, dataset)
    except DataError:
        raise
    except Exception as error:
        # Given arbitrary bytes, the parsers of the four formats may raise anything.
        cause = " ".join(str(error).split())[:200]
        raise DataError(
            f"cannot be read: {type(error).__name__}: {cause}",
            where=where,
            hint="It is damaged, or not of the type that its suffix says.",
        ) from error
    return _stack(values, source), source


def _check(
    shape: Sequence[int], dtype: np.dtype[Any], source: str, available: float = math.inf
) -> None:
    """Reject an unread array that is not a stack of patterns or cannot fit in its file."""
    if dtype.kind == "c":
        raise DataError(
            "holds complex numbers, not intensities", where=source, hint="Store |A|² instead."
        )
    if dtype.kind not in _NUMBERS:
        raise DataError(f"holds {dtype}, not numbers", where=source)
    if len(shape) not in (2, 3):
        raise DataError(
            f"has shape {tuple(shape)}, neither a pattern (ny, nx) nor a stack (B, ny, nx)",
            where=source,
        )
    declared = math.prod(shape) * dtype.itemsize
    if declared == 0:
        raise DataError(f"is empty: its shape is {tuple(shape)}", where=source)
    if declared > available:
        raise DataError(
            f"declares {declared} bytes, more than can be stored in its file", where=source
        )
    wanted = math.prod(shape) * _floating(dtype).itemsize
    if wanted > LIMIT:
        raise DataError(
            f"takes {wanted} bytes, more than the limit of {LIMIT}",
            where=source,
            hint="Split it into several files.",
        )


def _floating(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return a floating type that represents `dtype` exactly (64-bit integers: nearly)."""
    small = dtype.itemsize <= (4 if dtype.kind == "f" else 2)
    return np.dtype(np.float32 if small else np.float64)


def _stack(values: NDArray[Any], source: str) -> FloatArray:
    """Return a contiguous floating copy of `values` as a stack (B, ny, nx)."""
    _check(values.shape, values.dtype, source)
    stack: FloatArray = np.array(values, _floating(values.dtype), order="C")
    return stack if stack.ndim == 3 else stack[None]


def _hdf5(path: Path, dataset: str | None) -> tuple[NDArray[Any], str]:
    from speckle_core.data.hdf5 import check, open_file

    folder = path.resolve().parent
    with open_file(path) as file:
        found = _choose_dataset(file, dataset, folder)
        check(found, folder=folder)
        source = f"{path}: {found.name}"
        _check(found.shape, found.dtype, source)
        values = np.empty(found.shape, dtype=found.dtype)
        found.read_direct(values)
    return values, source


def _choose_dataset(file: Any, name: str | None, folder: Path) -> Any:
    """Return the HDF5 dataset called `name`, or the one that the file marks as its data."""
    import h5py

    from speckle_core.data.hdf5 import datasets, find, is_there

    if name is None:
        name = _CXI if is_there(file, _CXI) else None
    if name is None:
        # MATLAB stores the contents of cell arrays below '#refs#'.
        candidates = [
            d
            for d in datasets(file, folder=folder)
            if d.dtype.kind in _NUMBERS and _is_pattern(d.shape) and not d.name.startswith("/#")
        ]
        # Attributes are read last: text is what HDF5 reads least safely in a damaged file.
        name = _default_plot(file) if len(candidates) > 1 else None
        if name is None:
            return _only(candidates, [f"{d.name} {d.shape}" for d in candidates], file.filename)
    found = find(file, name)
    if not isinstance(found, h5py.Dataset):
        raise DataError("is a group, not a dataset", where=f"{file.filename}: {name}")
    return found


def _is_pattern(shape: Sequence[int]) -> bool:
    """Return whether an array can be a pattern; in MATLAB every number and text is a matrix."""
    return len(shape) in (2, 3) and sum(length > 1 for length in shape) > 1


def _default_plot(file: Any) -> str | None:
    """Return the path of the data given by NeXus' ``@default`` and ``@signal``, if any."""
    from speckle_core.data.hdf5 import find
    from speckle_core.data.hdf5_limits import attribute

    path, here = "", file
    for _ in range(8):
        for key in ("default", "signal"):
            value = attribute(here, key)
            if isinstance(value, bytes):
                value = value.decode()
            if isinstance(value, str) and value:
                path = value if value.startswith("/") else f"{path}/{value}"
                here = find(file, path)
                break
        else:
            return None
        if key == "signal":
            return path
    return None


def _only(candidates: list[Any], names: list[str], where: str) -> Any:
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        raise DataError("contains no array of two or three dimensions", where=where)
    shown = ", ".join(names[:10]) + (", …" if len(names) > 10 else "")
    raise DataError(
        f"contains {len(candidates)} arrays that could be patterns: {shown}",
        where=where,
        hint="Choose one with --dataset.",
    )


def _npy(path: Path, dataset: str | None) -> tuple[NDArray[Any], str]:
    _refuse_dataset_name(path, dataset)
    # A memory map allocates nothing, refuses pickles, and fails if the file is shorter than its
    # header says.
    check_npy(path)
    return np.lib.format.open_memmap(path, mode="r"), str(path)


def _refuse_dataset_name(path: Path, dataset: str | None) -> None:
    if dataset is not None:
        raise DataError(f"has no named arrays, so {dataset!r} cannot be chosen", where=str(path))


def _mat(path: Path, dataset: str | None) -> tuple[NDArray[Any], str]:
    import h5py

    if h5py.is_hdf5(path):
        values, source = _hdf5(path, dataset)
        # MATLAB is column-major, so HDF5 sees the axes in reverse order.
        return _matlab_stack(values.transpose()), source
    import scipy.io

    from speckle_core.data.matlab_limits import check_matlab

    check_matlab(path)
    kinds = {"single": "<f4", "double": "<f8"} | {
        f"{sign}int{bits}": f"<{sign or 'i'}{bits // 8}"
        for sign in ("", "u")
        for bits in (8, 16, 32, 64)
    }
    listed = {name: (shape, kind) for name, shape, kind in scipy.io.whosmat(path)}
    if dataset is None:
        names = [n for n, (shape, kind) in listed.items() if kind in kinds and _is_pattern(shape)]
        dataset = _only(names, [f"{n} {listed[n][0]}" for n in names], str(path))
    if dataset not in listed:
        raise DataError(
            f"has no variable {dataset!r}",
            where=str(path),
            hint=f"Variables: {', '.join(listed) or 'none'}.",
        )
    source = f"{path}: {dataset}"
    shape, kind = listed[dataset]
    if kind not in kinds:
        raise DataError(f"is a MATLAB {kind}, not an array of real numbers", where=source)
    _check(shape, np.dtype(kinds[kind]), source, path.stat().st_size * _STRONGEST)
    values = scipy.io.loadmat(path, variable_names=[dataset])[dataset]
    return _matlab_stack(values), source


def _matlab_stack(values: NDArray[Any]) -> NDArray[Any]:
    """Return (B, ny, nx) of MATLAB's (ny, nx, B)."""
    if values.ndim != 3:
        return values
    stack_is_first = values.shape[1] == values.shape[2] != values.shape[0]
    return values if stack_is_first else np.moveaxis(values, -1, 0)


def _tiff(path: Path, dataset: str | None) -> tuple[NDArray[Any], str]:
    import tifffile

    from speckle_core.data.tiff_limits import check_tiff_pages, list_tiff_pages

    _refuse_dataset_name(path, dataset)
    source, size = str(path), path.stat().st_size
    # Read pages, never series: series follow file names in OME metadata.
    with tifffile.TiffFile(path) as file:
        pages = list_tiff_pages(file, path)
        if not pages:
            raise DataError("contains no image", where=source)
        first = pages[0]
        if not first.axes.endswith("YX"):
            raise DataError("is a colour image, not intensities", where=source)
        shape = first.shape if len(pages) == 1 else (len(pages), *first.shape)
        if first.dtype is None or any(
            (page.shape, page.dtype) != (first.shape, first.dtype) for page in pages
        ):
            raise DataError("its pages differ in shape or type", where=source)
        _check(shape, np.dtype(first.dtype), source, size * _STRONGEST)
        check_tiff_pages(pages, path)
        values = [page.asarray() for page in pages]
        return (values[0] if len(values) == 1 else np.stack(values)), source


_READERS: dict[str, Callable[[Path, str | None], tuple[NDArray[Any], str]]] = {
    **dict.fromkeys((".h5", ".hdf5", ".nxs", ".cxi"), _hdf5),
    ".npy": _npy,
    ".mat": _mat,
    **dict.fromkeys((".tif", ".tiff"), _tiff),
}

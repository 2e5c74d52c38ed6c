"""Safe reading of untrusted HDF5 files: only the file's own bytes are ever read.

HDF5 can refer to other files (external links, external storage, virtual datasets) and can declare
terabytes in a kilobyte. All of this is checked here before the first value is read.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py

from speckle_core.data.hdf5_limits import check_chunks, check_sources, keeps_size, walk
from speckle_core.data.limits import STRONGEST
from speckle_core.errors import DataError

_HOPS = 16
_MISSING = "is missing"
#: Compression filters in use at beamlines, by their registered HDF5 filter number.
_FILTERS = {
    307: "bzip2",
    32001: "Blosc",
    32004: "LZ4",
    32008: "bitshuffle",
    32013: "ZFP",
    32015: "Zstandard",
    32026: "Blosc2",
}
_BUSY = ("unable to lock file", "already open for write", "already open for SWMR")
_REFUSED = "A file must contain its own data; copy it into one file, e.g. with h5copy or h5repack."


def open_file(path: Path) -> h5py.File:
    """Open the HDF5 file at `path` for reading.

    Raises
    ------
    DataError
        When it is missing, not an HDF5 file, or truncated.
    """
    where = str(path)
    if not path.exists():
        raise DataError("file not found", where=where)
    if not path.is_file():
        raise DataError("is not a file", where=where)
    try:
        if not h5py.is_hdf5(path):
            raise DataError(
                "is not an HDF5 file",
                where=where,
                hint="It has another format, or its first bytes are damaged.",
            )
        # A chunk is one pattern and read once, so a chunk cache would only waste memory.
        return h5py.File(path, "r", rdcc_nbytes=0)
    except (OSError, RuntimeError, ValueError) as error:
        if any(words in str(error) for words in _BUSY):
            raise DataError(
                "is being written: another program has it open",
                where=where,
                hint="Wait until it is closed. If the writer has crashed, or the file was copied "
                f"while being written, clear the mark: h5clear -s '{path.name}'",
            ) from error
        raise DataError(f"is damaged or truncated: {_short(error)}", where=where) from error


def _short(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if len(text) < 200 else f"{text[:200]}…"


def find(file: h5py.File, path: str, *, folder: Path | None = None) -> Any:
    """Return the group or dataset at `path`.

    Parameters
    ----------
    file : h5py.File
        Open for reading.
    path : str
        May pass through soft links.
    folder : Path, optional
        Folder in which external links may point to files; by default none are allowed.

    Raises
    ------
    DataError
        When nothing is there, or a link points to a file that is missing or outside the folder.
    """
    where = f"{file.filename}: {path}"
    parts = [p for p in path.split("/") if p]
    hops = 0
    here: Any = file
    while parts:
        part = parts.pop(0)
        try:
            link = here.get(part, getlink=True) if isinstance(here, h5py.Group) else None
        except (KeyError, ValueError, RuntimeError):
            link = None
        if link is None:
            raise DataError(_MISSING, where=where)
        if isinstance(link, h5py.ExternalLink):
            hops += 1
            if folder is None or hops > _HOPS or not is_inside(link.filename, folder):
                raise DataError(
                    f"is a link into the file {link.filename!r}", where=where, hint=_REFUSED
                )
            file = here = open_file(folder / link.filename)
            parts = [p for p in link.path.split("/") if p] + parts
            continue
        if isinstance(link, h5py.SoftLink):
            hops += 1
            if hops > _HOPS:
                raise DataError("is a broken link", where=where)
            base = file if link.path.startswith("/") else here
            parts = [p for p in link.path.split("/") if p] + parts
            here = base
            continue
        try:
            here = here[part]
        except (KeyError, OSError, RuntimeError, TypeError, ValueError) as error:
            raise DataError(f"is damaged: {_short(error)}", where=where) from error
    return here


def is_there(file: h5py.File, path: str) -> bool:
    """Return whether `find` would find something at `path`.

    Raises
    ------
    DataError
        When the path points into another file.
    """
    try:
        find(file, path)
    except DataError as error:
        if error.what != _MISSING:
            raise
        return False
    return True


def check(dataset: h5py.Dataset, *, folder: Path | None = None) -> None:
    """Reject a dataset that is not numeric, is stored elsewhere, or declares more than is stored.

    Parameters
    ----------
    dataset : h5py.Dataset
        From `find`; nothing may have been read from it yet.
    folder : Path, optional
        Folder in which a virtual dataset may have its sources; by default none are allowed.

    Raises
    ------
    DataError
        When the dataset is rejected.
    """
    where = f"{dataset.file.filename}: {dataset.name}"
    try:
        check_place(dataset, folder=folder)
        _check_numbers(dataset, where)
        if dataset.is_virtual:
            _check_parts(dataset, folder, where)
        else:
            _check_filters(dataset, where)
            _check_size(dataset, where)
    except (OSError, RuntimeError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"is damaged: {_short(error)}", where=where) from error


def check_place(dataset: h5py.Dataset, *, folder: Path | None = None) -> None:
    """Reject a dataset whose values are in a file that `check` does not allow.

    This must come before anything else: even to return the shape, HDF5 may open the files that a
    virtual dataset refers to.
    """
    where = f"{dataset.file.filename}: {dataset.name}"
    if not isinstance(dataset, h5py.Dataset):
        raise DataError("is not a dataset", where=where)
    if dataset.id.get_create_plist().get_external_count():
        raise DataError("stores its values in another file", where=where, hint=_REFUSED)
    if not dataset.is_virtual:
        return
    if folder is None:
        raise DataError("takes its values from other files", where=where, hint=_REFUSED)
    check_sources(dataset, where)
    for name in {source.file_name for source in dataset.virtual_sources()} - {"."}:
        # A '%' in the name is a counter: one entry can stand for any number of files.
        if not is_inside(name, folder) or "%" in name:
            raise DataError(
                f"takes its values from {name!r}, outside its own folder",
                where=where,
                hint=_REFUSED,
            )


def is_inside(name: str, folder: Path) -> bool:
    """Return whether the file `name` is in `folder` once links are resolved."""
    home, path = folder.resolve(), Path(name)
    inside = (home / name).resolve().is_relative_to(home)
    return inside and not path.is_absolute() and ".." not in path.parts


def _check_numbers(dataset: h5py.Dataset, where: str) -> None:
    if dataset.dtype.kind == "c" or set(dataset.dtype.names or ()) == {"real", "imag"}:
        raise DataError(
            "contains complex numbers, not intensities", where=where, hint="Store |A|² instead."
        )
    if dataset.dtype.kind not in "iufb":
        raise DataError(f"contains {dataset.dtype}, not numbers", where=where)
    if dataset.shape is None:
        raise DataError("is empty", where=where)


def _check_filters(dataset: h5py.Dataset, where: str) -> None:
    """Reject a dataset whose compression filter is not available."""
    settings = dataset.id.get_create_plist()
    used = [settings.get_filter(i) for i in range(settings.get_nfilters())]
    if all(h5py.h5z.filter_avail(number) for number, *_ in used):
        return
    with contextlib.suppress(ImportError):
        import hdf5plugin  # noqa: F401 - importing it registers its filters
    for number, _, _, name in used:
        if not h5py.h5z.filter_avail(number):
            called = _FILTERS.get(number, name.decode("ascii", "replace") or "unknown")
            raise DataError(
                f"is compressed by the HDF5 filter {number} ({called}), which is not installed",
                where=where,
                hint="Run: pip install 'speckle-core[hdf5plugin]'",
            )


def _check_size(dataset: h5py.Dataset, where: str) -> None:
    declared = math.prod(dataset.shape) * dataset.dtype.itemsize
    stored = min(dataset.id.get_storage_size(), Path(dataset.file.filename).stat().st_size)
    gain = 1 if keeps_size(dataset) else STRONGEST
    if declared > stored * gain or not _all_chunks(dataset):
        raise DataError(
            f"declares {declared} bytes, but only {stored} are stored",
            where=where,
            hint="Writing it was interrupted, or the file has been tampered with.",
        )
    check_chunks(dataset, where)


def _all_chunks(dataset: h5py.Dataset) -> bool:
    """Return whether every chunk was written; HDF5 silently reads missing ones as zeros."""
    if dataset.chunks is None:
        return True
    pairs = zip(dataset.shape, dataset.chunks, strict=True)
    return bool(dataset.id.get_num_chunks() == math.prod(-(-size // step) for size, step in pairs))


def _check_parts(dataset: h5py.Dataset, folder: Path | None, where: str) -> None:
    """Reject a virtual dataset with invalid sources, or with regions that no source covers."""
    mapped = 0
    wanted: dict[str, set[str]] = {}
    for source in dataset.virtual_sources():
        mapped += source.vspace.get_select_npoints()
        wanted.setdefault(source.file_name, set()).add(source.dset_name)
    there = sum(_sources_size(dataset, folder or Path(), *item, where) for item in wanted.items())
    # Compare with both: a small source mapped many times could fill any amount of memory.
    if math.prod(dataset.shape) > min(mapped, there):
        raise DataError("has regions that no source file covers", where=where)


def _sources_size(
    dataset: h5py.Dataset, folder: Path, name: str, paths: set[str], where: str
) -> int:
    """Check the sources of a virtual dataset in one file; return their number of values."""
    if name == ".":
        return sum(_check_source(dataset.file, path, where) for path in paths)
    file = open_file(folder / name)
    try:
        return sum(_check_source(file, path, where) for path in paths)
    finally:
        # Unlike that of the file itself, this does not look through all open objects of HDF5.
        file.id.close()


def _check_source(file: h5py.File, path: str, where: str) -> int:
    source = find(file, path)
    if not isinstance(source, h5py.Dataset):
        raise DataError(f"takes its values from {path!r}, which is not a dataset", where=where)
    check(source)
    return math.prod(source.shape)


def datasets(group: h5py.Group, *, folder: Path) -> Iterator[h5py.Dataset]:
    """Iterate over every dataset below `group` that is reached by hard links, each once.

    Raises
    ------
    DataError
        For a dataset whose values are stored outside `folder`.
    """
    for item in walk(group):
        if isinstance(item, h5py.Dataset):
            check_place(item, folder=folder)
            yield item

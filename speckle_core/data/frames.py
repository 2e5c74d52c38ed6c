"""Open a file of frames with the right reader, chosen by suffix or else by the first bytes.

Formats are plugins (role `Reader`); this module knows none of them.
"""

from __future__ import annotations

import os
from pathlib import Path

from speckle_core.contracts.frames import Frames
from speckle_core.contracts.roles import Reader
from speckle_core.data.trial import try_hdf5
from speckle_core.errors import DataError, SpeckleError
from speckle_core.plugins.manager import plugin_manager
from speckle_core.plugins.records import Registered, missing

_HEAD = 1024


def open_frames(
    path: str | os.PathLike[str], *, dataset: str | None = None, frames_axis: int | None = None
) -> Frames:
    """Return the frames in a file, read lazily.

    Parameters
    ----------
    path : path
        A file of any format with an installed reader; ``speckle plugins list`` lists them.
    dataset : str, optional
        Dataset of an HDF5 file, variable of a MATLAB file or array of an ``.npz``; by default the
        one that the file marks, or the only one.
    frames_axis : int, optional
        The axis of a stack along which frames are counted, such as -1; by default as marked in
        the file, otherwise the first.

    Raises
    ------
    DataError
        When the file is missing, damaged, still being written, of an unknown format, or contains
        no frames or several datasets that could be frames.
    """
    path = Path(path)
    where = str(path)
    if not path.exists():
        raise DataError("file not found", where=where)
    if not path.is_file():
        hint = f"Give its files, such as {where}/*." if path.is_dir() else None
        raise DataError("is not a file", where=where, hint=hint)
    if path.stat().st_size == 0:
        raise DataError("is empty", where=where)
    reader = _reader_of(path)
    try_hdf5(path, lambda: reader.read(path, dataset=dataset, frames_axis=frames_axis))
    try:
        return reader.read(path, dataset=dataset, frames_axis=frames_axis)
    except SpeckleError:
        raise
    except Exception as error:
        # Given arbitrary bytes, a parser may raise anything.
        cause = " ".join(str(error).split())[:200]
        raise DataError(
            f"cannot be read: {type(error).__name__}: {cause}",
            where=where,
            hint="The file is damaged, or its suffix is wrong.",
        ) from error


def _reader_of(path: Path) -> Reader:
    """Return the reader for a file.

    Raises
    ------
    DataError
        When no reader, or more than one, accepts it.
    """
    manager = plugin_manager()
    installed = manager.components("reader")
    readers = [(entry, manager.factory("reader", entry.qualified)()) for entry in installed]
    name = path.name.lower()
    # '.npy.gz' is a better match than '.gz'.
    ends = {
        e: max((s for s in r.suffixes if name.endswith(s)), key=len, default="") for e, r in readers
    }
    longest = max(map(len, ends.values()), default=0)
    found = [(e, r) for e, r in readers if longest and len(ends[e]) == longest]
    if not found or len(found) > 1:
        with path.open("rb") as file:
            head = file.read(_HEAD)
        found = [(e, r) for e, r in found or readers if r.matches(head)] or found
    if len(found) == 1:
        entry, _ = found[0]
        reader: Reader = manager.create("reader", entry.qualified)
        return reader
    if found:
        raise DataError(
            "could be read by " + " and ".join(str(entry.provider) for entry, _ in found),
            where=str(path),
            hint="Set SPECKLE_PLUGINS to exclude one of them.",
        )
    raise _unknown(path, readers)


def _unknown(path: Path, readers: list[tuple[Registered, Reader]]) -> DataError:
    known = sorted({s for entry, r in readers if not missing(entry.component) for s in r.suffixes})
    lacking = [e.component for e, _ in readers if missing(e.component)]
    more = "".join(
        f" With {' '.join(c.requires)} ({c.summary.rstrip('.')}), more: "
        f"pip install 'speckle-core[{c.extra}]'."
        for c in lacking
    )
    return DataError(
        f"has the unknown suffix {path.suffix!r}",
        where=str(path),
        hint=f"Supported: {' '.join(known)}.{more} Convert other files to .npy or .h5.",
    )

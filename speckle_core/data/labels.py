"""Labels of measured frames: from a table, folder names, or a dataset beside the frames.

Every label must be a whole number of at least 1; errors give the row.
"""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from speckle_core.data.hdf5 import check, find, open_file
from speckle_core.data.limits import check_npy
from speckle_core.errors import DataError
from speckle_core.files import require_regular
from speckle_core.notes import read_text

FOLDERS = "folders"
_LARGEST = 2**26
_FILE = ("file", "path", "name", "filename", "frame")
_LABEL = ("label", "labels", "n", "count", "class", "particles")
_PATTERN = ("pattern", "index", "frame_index")


def labels_of_files(
    source: str | Path | Sequence[int], files: Sequence[Path], frames: Sequence[int]
) -> list[int]:
    """Return the label of every frame, file after file.

    Parameters
    ----------
    source : str, path or sequence of int
        The labels themselves; ``folders`` to use the name of each file's folder; a ``.csv`` with a
        header, the files in one column, the labels in another and, for files with several
        patterns, the index of the pattern in a third; an ``.npy``; or the name of a dataset in
        each file. A table for one file needs no column of files, and with a row for each pattern
        in order none of indices. Columns are parted by commas, semicolons or tabs.
    files : sequence of Path
        The files.
    frames : sequence of int
        Number of frames in each file.

    Raises
    ------
    DataError
        When a label is missing or not a whole number of at least 1, or there are too many.
    """
    if not isinstance(source, (str, Path)):
        return _check_labels(np.asarray(source), "labels", sum(frames))
    text = str(source)
    if text == FOLDERS:
        found = [[_label(file.resolve().parent.name, f"{file}: its folder")] for file in files]
        return [n for (n,), count in zip(found, frames, strict=True) for n in [n] * count]
    if text.lower().endswith(".csv"):
        return _read_table(Path(text), files, frames)
    if text.lower().endswith(".npy"):
        try:
            require_regular(Path(text))
            check_npy(Path(text))
            values = np.load(Path(text), mmap_mode="r", allow_pickle=False)
        except FileNotFoundError:
            raise DataError("file not found", where=text) from None
        except (OSError, ValueError) as error:
            raise DataError(f"cannot be read: {error}", where=text) from error
        return _check_labels(values, text, sum(frames))
    return [
        label
        for file, count in zip(files, frames, strict=True)
        for label in _check_labels(_read_dataset(file, text), f"{file}: {text}", count)
    ]


def _label(value: Any, where: str) -> int:
    """Return a label as a whole number."""
    try:
        number = float(str(value).strip())
    except ValueError:
        number = np.nan
    said = value[:80] if isinstance(value, str) else value
    if not 1 <= number < 2**31 or number != round(number):
        raise DataError(
            f"{said!r} is not a label: labels are whole numbers of particles, from 1 on",
            where=where,
        )
    return int(number)


def _number(value: str, where: str) -> int:
    """Return the number of a pattern in its file, from 0 on."""
    with contextlib.suppress(ValueError, OverflowError):
        return int(float(value))
    raise DataError(f"{value[:80]!r} is not the number of a pattern", where=where)


def _check_labels(values: Any, where: str, count: int) -> list[int]:
    values = np.asarray(values)
    if values.ndim == 2 and 1 in values.shape:
        values = values.reshape(-1)
    if values.ndim == 2 and (np.sort(values, axis=1)[:, :-1] == 0).all():
        raise DataError(
            f"has one column per class ({values.shape[1]}), not one label per pattern",
            where=where,
            hint="Convert it to numbers: classes[values.argmax(axis=1)].",
        )
    if values.ndim != 1:
        raise DataError(f"has the shape {values.shape}, not one label per pattern", where=where)
    if len(values) != count:
        raise DataError(f"has {len(values)} labels for {count} patterns", where=where)
    return [_label(value, f"{where}, row {row}") for row, value in enumerate(values.tolist())]


def _read_table(path: Path, files: Sequence[Path], frames: Sequence[int]) -> list[int]:
    """Return the labels in a CSV file with rows in any order."""
    try:
        text = read_text(path, largest=_LARGEST).removeprefix("\ufeff")
        reader = csv.DictReader(
            io.StringIO(text), delimiter=_separator(text), skipinitialspace=True
        )
        rows = list(reader)
    except FileNotFoundError:
        raise DataError("file not found", where=str(path)) from None
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(f"cannot be read: {error}", where=str(path)) from error
    columns = list(rows[0]) if rows else []
    file_column = next((c for c in columns if str(c).strip().lower() in _FILE), None)
    label_column = next((c for c in columns if str(c).strip().lower() in _LABEL), None)
    pattern_column = next((c for c in columns if str(c).strip().lower() in _PATTERN), None)
    if file_column is None and label_column is not None and len(files) == 1:
        # The only file needs no name.
        file_column = "file"
        indexed = pattern_column is not None
        rows = [{file_column: str(files[0].resolve()), **row} for row in rows]
        if not indexed:
            return _check_labels([row[label_column] for row in rows], str(path), frames[0])
    if file_column is None or label_column is None:
        raise DataError(
            f"has the columns {', '.join(map(str, columns)) or 'none'}, not one for files "
            "and one for labels",
            where=str(path),
            hint="Start the file with the line: file,n (for one file of several patterns: n).",
        )
    known: dict[Path, dict[int | None, int]] = {}
    for number, row in enumerate(rows, start=2):
        where = f"{path}, row {number}"
        place = (path.parent / str(row[file_column] or "").strip()).resolve()
        which = None if pattern_column is None else _number(row[pattern_column] or "0", where)
        if which in known.setdefault(place, {}):
            more = "Add a column index with the number of the pattern in its file, from 0 on."
            raise DataError(
                f"has a second label for {row[file_column]!r}",
                where=where,
                hint=more if pattern_column is None else None,
            )
        known[place][which] = _label(row[label_column], where)
    found: list[int] = []
    for file, count in zip(files, frames, strict=True):
        named = known.get(file.resolve())
        if named is None:
            raise DataError(f"has no label for {file}", where=str(path))
        for index in range(count):
            label = named.get(index, named.get(None))
            if label is None:
                raise DataError(f"has no label for pattern {index} of {file}", where=str(path))
            found.append(label)
    return found


def _separator(text: str) -> str:
    """Return what parts the columns of a table: the likeliest in its first line."""
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)


def _read_dataset(file: Path, name: str) -> Any:
    """Return the values of a dataset in the file of frames."""
    if file.name.lower().endswith(".npz"):
        with np.load(file, allow_pickle=False) as archive:
            if name not in archive.files:
                raise DataError(f"has no array {name!r}", where=str(file))
            if archive.zip.getinfo(f"{name}.npy").file_size > _LARGEST:
                raise DataError("is far too large for labels", where=f"{file}: {name}")
            return archive[name]
    with open_file(file) as opened:
        found = find(opened, name)
        if not hasattr(found, "shape"):
            raise DataError("is a group, not a dataset", where=f"{file}: {name}")
        check(found, folder=file.resolve().parent)
        return found[()]

"""Folders that belong to an experiment: new, or begun by the same one, and never another's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

import attrs

from speckle_core.errors import OutputError
from speckle_core.experiment.experiment import Experiment
from speckle_core.files import empty
from speckle_core.notes import read_json

T = TypeVar("T")


def is_new(folder: Path) -> bool:
    """Return whether `folder` does not exist or is empty.

    Raises
    ------
    OutputError
        When it is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError("is a file, not a folder", where=str(folder))
    return empty(folder)


@attrs.frozen
class OwnedFolder(Generic[T]):
    """A kind of folder that belongs to an experiment, which a JSON file in it records.

    Parameters
    ----------
    what : str
        What such a folder contains, such as ``run``.
    record : str
        Name of the file; its key ``experiment`` is the resolved experiment.
    format : int
        What its key ``format`` must be.
    parse : callable
        Makes of the folder, the content of the file and the experiment what `read` returns. What
        it finds wrong it raises as a ValueError, KeyError, TypeError or AttributeError.
    otherwise : str
        What else may be done than choose another folder when it is another experiment's.
    """

    what: str
    record: str
    format: int
    parse: Callable[[Path, dict[str, Any], Experiment], T]
    otherwise: str = ""

    def read(self, folder: Path) -> T:
        """Return what the record in `folder` says.

        Raises
        ------
        OutputError
            When it is not a folder of this kind.
        """
        return self._load(folder)[0]

    def find(self, ours: Experiment, folder: Path) -> T | None:
        """Return what the record in `folder` says if it is of experiment `ours`; None if new.

        It is the same experiment whatever its components are called.

        Raises
        ------
        OutputError
            When it is not a folder of this kind, or of another experiment, with the keys in which
            they differ.
        """
        if is_new(folder):
            return None
        found, theirs = self._load(folder)
        if differing := ours.departures(theirs):
            keys = ", ".join(differing)
            raise OutputError(
                f"contains the {self.what} of another experiment; they differ in {keys}",
                where=str(folder),
                hint=f"Choose another folder with -o{self.otherwise}.",
            )
        return found

    def _load(self, folder: Path) -> tuple[T, Experiment]:
        path = folder / self.record
        try:
            data = read_json(path)
            if data["format"] != self.format:
                raise ValueError(f"format {data['format']!r}, not {self.format}")
            experiment = Experiment.from_dict(data["experiment"], str(path))
            return self.parse(folder, data, experiment), experiment
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise OutputError(
                f"is not a speckle {self.what} folder ({error})",
                where=str(folder),
                hint="Choose another folder with -o; nothing in this one was changed.",
            ) from error

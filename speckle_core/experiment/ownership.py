"""Whether a folder may take the results of an experiment: new, or begun by the same one."""

from __future__ import annotations

from pathlib import Path

from speckle_core.errors import OutputError
from speckle_core.experiment.experiment import Experiment
from speckle_core.files import empty


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


def check_same(
    ours: Experiment, theirs: Experiment, folder: Path, what: str, hint: str = ""
) -> None:
    """Check that what lies in `folder` is of the same experiment, whatever its options are called.

    Parameters
    ----------
    ours, theirs : Experiment
        The one that is to go there, and the one recorded there.
    folder : Path
        The folder.
    what : str
        What it contains, such as ``run``.
    hint : str
        What else may be done than choose another folder.

    Raises
    ------
    OutputError
        When they differ, with the keys.
    """
    if found := ours.departures(theirs):
        raise OutputError(
            f"contains the {what} of another experiment; they differ in {', '.join(found)}",
            where=str(folder),
            hint=f"Choose another folder with -o{hint}.",
        )

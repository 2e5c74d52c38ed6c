"""Frames from the files given to a command: every frame gets a result or an error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from speckle_core.errors import DataError, OutputError, SpeckleError
from speckle_core.files import empty

if TYPE_CHECKING:
    from collections.abc import Callable

    from speckle_core.data.frame_options import FrameOptions
    from speckle_core.data.measured import Measured

T = TypeVar("T")
_REMARKS = 4


class Failures:
    """Errors of single files and frames; the command continues and fails at the end."""

    def __init__(self) -> None:
        self._found: list[tuple[Path, int | None, SpeckleError]] = []

    def add(self, file: Path, index: int | None, error: SpeckleError) -> None:
        """Record an error of a whole file, or of its frame `index`."""
        self._found.append((file, index, error))

    def to_json(self) -> list[dict[str, Any]]:
        """Return them as plain values."""
        return [
            {"file": str(file), "pattern": index, "error": error.what}
            for file, index, error in self._found
        ]

    def end(self) -> None:
        """Print the errors, merging equal ones of neighbouring frames; exit if there are any.

        Raises
        ------
        typer.Exit
            With status 1.
        """
        from speckle_core.cli.failure import print_error

        runs: list[tuple[Path, list[int], SpeckleError]] = []
        for file, index, error in self._found:
            if runs and index is not None:
                last, numbers, same = runs[-1]
                if (last, same.what) == (file, error.what) and numbers[-1:] == [index - 1]:
                    numbers.append(index)
                    continue
            runs.append((file, [] if index is None else [index], error))
        for file, numbers, error in runs:
            print_error(str(_placed(file, numbers, error)), error)
        if runs:
            raise typer.Exit(1)


def _placed(file: Path, numbers: list[int], error: SpeckleError) -> SpeckleError:
    """Return the error with the file and frames as its place."""
    if not numbers:
        return error
    which = (
        f"pattern {numbers[0]}" if len(numbers) == 1 else f"patterns {numbers[0]} to {numbers[-1]}"
    )
    # Steps see one pattern at a time, so they always report it as number 0.
    what = error.what.removeprefix("pattern 0 ")
    return DataError(what, where=f"{file}: {which}", hint=error.hint)


def each_frame(
    files: Iterable[Path],
    options: FrameOptions,
    read: Callable[[Measured, int], T],
    failures: Failures,
) -> Iterator[tuple[Path, Measured, int, T]]:
    """Iterate over (file, its frames, index, result of `read`), skipping those that fail.

    Remarks on a file are printed once it is done.
    """
    from speckle_core.cli.failure import say
    from speckle_core.data.frame_options import read_mask
    from speckle_core.data.measured import Measured

    mask = None if options.mask is None else read_mask(options.mask)
    said: dict[str, list[str]] = {}
    for file in files:
        try:
            measured = Measured(file, options, mask)
        except SpeckleError as error:
            failures.add(file, None, error)
            continue
        if measured.frames.dataset:
            say(f"{file}: reading {measured.frames.dataset}")
        for index in range(len(measured)):
            try:
                found = read(measured, index)
            except SpeckleError as error:
                failures.add(file, index, error)
                continue
            yield file, measured, index, found
        for remark in list(measured.remarks)[:_REMARKS]:
            said.setdefault(remark, []).append(str(file))
    for remark, where in said.items():
        more = f" and {len(where) - 1} more" if len(where) > 1 else ""
        say(f"{where[0]}{more}: {remark}")


def new_folder(folder: Path) -> Path:
    """Return `folder` if it is empty or does not exist, so that results can go there.

    Raises
    ------
    OutputError
        When it is not empty; nothing is ever overwritten.
    """
    if not empty(folder):
        raise OutputError("is not empty", where=str(folder), hint="Choose another folder for -o.")
    return folder

"""Solutions in a folder: a record, a NeXus file and a picture of each pattern, and two tables.

A pattern's record is written last, so a pattern with a record is complete. ``solution.json``
identifies the folder from the start, and lists all records at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs

from speckle_core._version import __version__
from speckle_core.contracts.progress import Progress
from speckle_core.errors import OutputError, PatternError
from speckle_core.experiment.schema import differences, plain
from speckle_core.files import empty, make_folder, sweep, write_bytes, write_text
from speckle_core.locks import lock_folder
from speckle_core.notes import digests, find_damage, read_json, write_json
from speckle_core.solve.records import FILES, bodies_csv, stem
from speckle_core.solve.solving import Answer, Recipe, solve_all
from speckle_core.solve.source import Source, Subject

FORMAT = 1
SUMMARY, BODIES = "solution.json", "bodies.csv"
# Ten thousand patterns of twenty bodies take about 100 MB.
_LARGEST = 2**30


def solve(
    source: Source,
    indices: Sequence[int],
    recipe: Recipe,
    folder: Path | None = None,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
) -> list[Answer]:
    """Solve the patterns `indices` of `source`; return the answers in that order.

    Parameters
    ----------
    source : Source
        Source of the patterns.
    indices : sequence of int
        Indices of patterns in it.
    recipe : Recipe
        The solver; an option `box` is set to that of the source, if known.
    folder : Path, optional
        Output folder. If it contains solutions of the same recipe, solving resumes: patterns with
        intact files are read back and not solved again.
    workers : int, optional
        Maximum number of processes.
    progress : Progress, optional
        Receives the progress, one unit per pattern.

    Raises
    ------
    OutputError
        When the folder contains something else, or a file cannot be written.
    PluginError, OptionError
        When the solver cannot be created, or is broken.
    """
    progress, recipe = progress or Progress(), recipe.within(source.box)
    if folder is None:
        return _solve(source, indices, recipe, None, workers, progress)
    claim(folder, source, recipe)
    with lock_folder(folder, "solve"):
        return _solve(source, indices, recipe, folder, workers, progress)


def _solve(
    source: Source,
    indices: Sequence[int],
    recipe: Recipe,
    folder: Path | None,
    workers: int | None,
    progress: Progress,
) -> list[Answer]:
    answers = {}
    if folder is not None:
        answers = {i: done for i in indices if (done := _read(folder, i)) is not None}
    todo = [i for i in indices if i not in answers]
    progress.start(f"solve with {recipe.name}", len(indices))
    progress.advance(len(answers))

    def take(answer: Answer) -> None:
        if folder is not None:
            _write(folder, answer)
        answers[answer.index] = attrs.evolve(answer, files={})
        progress.advance(1)

    try:
        subjects = _readable(source, todo, take)
        solve_all(recipe, subjects, len(todo), take, files=folder is not None, workers=workers)
    finally:
        if folder is not None:
            gather(folder)
    progress.finish()
    return [answers[i] for i in indices]


def _readable(
    source: Source, indices: Iterable[int], take: Callable[[Answer], None]
) -> Iterator[Subject]:
    """Iterate over the readable patterns; `take` receives the error of each of the others."""
    for index in indices:
        try:
            subject = source.read(index)
        except PatternError as error:
            take(Answer(index, None, error=error))
        else:
            yield subject


def claim(folder: Path, source: Source, recipe: Recipe) -> None:
    """Claim `folder` for these solutions.

    Raises
    ------
    OutputError
        When it contains other solutions, or something else.
    """
    ours = {"source": source.recipe(), "solver": _recipe(recipe)}
    if (folder / SUMMARY).is_file():
        theirs = _summary(folder)
        if found := differences(ours, {key: theirs.get(key) for key in ours}):
            raise OutputError(
                f"contains other solutions; they differ in {', '.join(found)}",
                where=str(folder),
                hint="Choose another folder for -o.",
            )
        sweep(folder)
        return
    if not empty(folder):
        raise OutputError(
            "is not empty and contains no solutions",
            where=str(folder),
            hint="Choose another folder for -o.",
        )
    sweep(make_folder(folder))
    head = {"format": FORMAT, "made_by": f"speckle-core {__version__}", **ours, "patterns": []}
    write_json(folder / SUMMARY, head)


def _recipe(recipe: Recipe) -> dict[str, Any]:
    options = {key: plain(value) for key, value in recipe.options.items()}
    return {"name": recipe.name, "options": options, "seed": recipe.seed}


def _summary(folder: Path) -> dict[str, Any]:
    path = folder / SUMMARY
    try:
        found = read_json(path, largest=_LARGEST)
        if found["format"] != FORMAT:
            raise ValueError(f"format {found['format']!r}, not {FORMAT}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OutputError(
            f"is not a valid record of solutions: {error}",
            where=str(path),
            hint="Choose another folder for -o.",
        ) from error
    return found


def _write(folder: Path, answer: Answer) -> None:
    if answer.record is None:
        return
    names = {f"{stem(answer.index)}.{kind}": data for kind, data in answer.files.items()}
    for name, data in names.items():
        write_bytes(folder / name, data)
    found = answer.record | {"files": digests(folder, names)}
    write_json(folder / f"{stem(answer.index)}.json", found)


def _read(folder: Path, index: int) -> Answer | None:
    """Return the answer of an earlier call for a pattern if all its files are intact."""
    try:
        record = read_json(folder / f"{stem(index)}.json")
        files = record.pop("files")
        whole = len(files) == len(FILES) and not find_damage(folder, files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return Answer(index, record) if whole and record.get("pattern") == index else None


def gather(folder: Path) -> None:
    """Collect all records in ``solution.json``, and all bodies in ``bodies.csv``."""
    records = list(_records(folder))
    write_text(folder / BODIES, bodies_csv(records))
    write_json(folder / SUMMARY, _summary(folder) | {"patterns": records})


def _records(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("pattern-*.json")):
        answer = _read(folder, int(path.stem.rpartition("-")[2]))
        if answer is not None and answer.record is not None:
            yield answer.record

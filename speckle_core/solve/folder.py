"""Solutions in a folder: a record, a NeXus file and a picture of each pattern, and two tables.

A pattern's record appears last, so one that is there is whole; ``solution.json`` says whose the
folder is, and in the end gathers the records.
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
from speckle_core.locks import alone
from speckle_core.notes import damage, digests, read_json, write_json
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
    """Solve the patterns `indices` of `source`; return what came of each, in that order.

    Parameters
    ----------
    source : Source
        Where patterns come from.
    indices : sequence of int
        Numbers of patterns in it.
    recipe : Recipe
        The solver; one with an option `box` is told that of the source, where it is known.
    folder : Path, optional
        Where files go. One that holds solutions of the same recipe is gone on with: patterns whose
        files are whole are read back and not solved again.
    workers : int, optional
        The most processes.
    progress : Progress, optional
        Is told of every pattern.

    Raises
    ------
    OutputError
        When the folder holds something else, or a file cannot be written.
    PluginError, OptionError
        When the solver cannot be made, or is broken.
    """
    progress, recipe = progress or Progress(), recipe.within(source.box)
    if folder is None:
        return _solve(source, indices, recipe, None, workers, progress)
    claim(folder, source, recipe)
    with alone(folder, "solve"):
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
    """Iterate over the patterns that can be read; of the others, `take` gets the error."""
    for index in indices:
        try:
            subject = source.read(index)
        except PatternError as error:
            take(Answer(index, None, error=error))
        else:
            yield subject


def claim(folder: Path, source: Source, recipe: Recipe) -> None:
    """Mark `folder` as that of these solutions.

    Raises
    ------
    OutputError
        When it holds other ones, or something else.
    """
    ours = {"source": source.recipe(), "solver": _recipe(recipe)}
    if (folder / SUMMARY).is_file():
        theirs = _summary(folder)
        if found := differences(ours, {key: theirs.get(key) for key in ours}):
            raise OutputError(
                f"holds solutions of something else; they differ in {', '.join(found)}",
                where=str(folder),
                hint="Choose another folder for -o.",
            )
        sweep(folder)
        return
    if not empty(folder):
        raise OutputError(
            "is not empty and holds no solutions",
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
            f"does not say which solutions lie beside it: {error}",
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
    """Return what an earlier call made of a pattern, if all its files are as they were written."""
    try:
        record = read_json(folder / f"{stem(index)}.json")
        files = record.pop("files")
        whole = len(files) == len(FILES) and not damage(folder, files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return Answer(index, record) if whole and record.get("pattern") == index else None


def gather(folder: Path) -> None:
    """Write all records in `folder` into ``solution.json``, and all bodies into ``bodies.csv``."""
    records = list(_records(folder))
    write_text(folder / BODIES, bodies_csv(records))
    write_json(folder / SUMMARY, _summary(folder) | {"patterns": records})


def _records(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("pattern-*.json")):
        answer = _read(folder, int(path.stem.rpartition("-")[2]))
        if answer is not None and answer.record is not None:
            yield answer.record

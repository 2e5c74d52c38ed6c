"""A study folder: its points computed, in parallel and resumable, and what follows from them.

``study.json`` says whose the folder is; each finished point has a note in ``results``, named by its
experiment. So the same command resumes, and one with more values computes only what is new.
"""

from __future__ import annotations

import concurrent.futures as cf
import contextlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs

from speckle_core.contracts.progress import Progress
from speckle_core.data.dataset import Dataset
from speckle_core.data.generate import generate
from speckle_core.data.workers import cores, one_thread, run_on, worker_pool
from speckle_core.errors import OutputError, SpeckleError
from speckle_core.experiment.experiment import Experiment
from speckle_core.experiment.ownership import OwnedFolder
from speckle_core.experiment.provenance import versions
from speckle_core.files import make_folder, remove_folder, sweep, write_bytes, write_text
from speckle_core.locks import lock_folder
from speckle_core.models.evaluate import assess, part_of
from speckle_core.models.folder import load_model
from speckle_core.models.train import train
from speckle_core.notes import write_json
from speckle_core.study.page import page
from speckle_core.study.points import Axis, Point, distinct
from speckle_core.study.results import Result, draw, table
from speckle_core.study.trained import TrainedReader

FORMAT = 1
RECORD = "study.json"
RESULTS, DATA, MODELS = "results", "data", "models"
_KIND = OwnedFolder("study", RECORD, FORMAT, lambda _folder, _data, made: made)


@attrs.frozen
class _Task:
    """A point to compute, which can be sent to another process."""

    folder: Path
    point: Point
    keep_data: bool


def run_study(
    base: Experiment,
    axes: Sequence[Axis],
    points: Sequence[Point],
    folder: Path,
    *,
    workers: int | None = None,
    keep_data: bool = False,
    progress: Progress | None = None,
) -> list[Result]:
    """Compute the points of a study in `folder` that are not there yet; return all results.

    Also writes ``study.csv``, ``study.png`` and ``study.html``. A point that fails has a result
    with its error, and is tried again the next time.

    Parameters
    ----------
    base : Experiment
        The experiment without the varied values, for the record.
    axes, points
        From `points_of`.
    folder : Path
        New, empty, or of the same study.
    workers : int, optional
        Number of processes; by default one per core.
    keep_data : bool
        Keep the data sets; by default each is removed once all its points are there.
    progress : Progress, optional
        Told of what is done.

    Raises
    ------
    OutputError
        When the folder contains something else, or cannot be written.
    """
    progress = progress or Progress()
    _KIND.find(base, folder)
    with lock_folder(make_folder(folder), "study"):
        _KIND.find(base, folder)
        named = [{"path": axis.path, "values": list(axis.values)} for axis in axes]
        record = {"format": FORMAT, "experiment": base.to_dict(), "vary": named}
        write_json(folder / RECORD, record | {"versions": versions(base)})
        sweep(folder)
        for part in (RESULTS, DATA, MODELS):
            sweep(make_folder(folder / part, within=folder))
        found = {p.key: r for p in points if (r := _known(folder, p)) is not None}
        todo = {p.key: p for p in points if p.key not in found}
        count = min(workers or cores(), max(1, len(todo)))
        with worker_pool(count) if count > 1 else contextlib.nullcontext() as pool:
            for data_key in distinct(p.data_key for p in todo.values()):
                group = [p for p in todo.values() if p.data_key == data_key]
                tasks = [_Task(folder, point, keep_data) for point in group]
                found |= _compute(tasks, count, pool, progress)
                _remove_spent(folder, group, found, keep_data=keep_data)
        _remove_spent(folder, points, found, keep_data=keep_data)
        _remove_forgotten(folder, points)
        results = [attrs.evolve(found[p.key], values=p.values) for p in points]
        _write_summary(folder, base, axes, results)
    return results


def _known(folder: Path, point: Point) -> Result | None:
    """Return the result of a point that is finished, or None; a damaged one is computed again."""
    path = folder / RESULTS / f"{point.key}.json"
    try:
        return Result.read(path, point.values, point.classifier)
    except (OSError, ValueError):
        return None


def _compute(
    tasks: Sequence[_Task], workers: int, pool: cf.Executor | None, progress: Progress
) -> dict[str, Result]:
    """Return the results of points that share a data set, by key."""
    points = [task.point for task in tasks]
    data = tasks[0].folder / DATA / points[0].data_key
    first = points[0].experiment
    try:
        progress.start("generate", first.patterns)
        generate(first, data, workers=workers, on_progress=progress.advance)
        progress.finish()
    except OutputError:
        raise
    except SpeckleError as error:
        return {p.key: Result(p.values, p.classifier, error=str(error)) for p in points}
    found: dict[str, Result] = {}
    progress.start("train and evaluate", len(points), "classifiers")

    def report(answer: tuple[str, Result]) -> None:
        found.update([answer])
        progress.advance(1)

    if pool is None:
        for task in tasks:
            report(_read(task))
    else:
        run_on(pool, _read, tasks, workers + 1, report)
    progress.finish()
    return found


def _read(task: _Task) -> tuple[str, Result]:
    """Return the result of a point, in the worker. A training resumes where it stopped."""
    point, folder = task.point, task.folder
    model = folder / MODELS / point.key
    try:
        with one_thread():
            dataset = Dataset.open(folder / DATA / point.data_key)
            if point.model is not None:
                result = _read_trained(point, point.model, dataset)
            else:
                result = _train_and_read(point, dataset, model)
    except OutputError:
        raise
    except SpeckleError as error:
        return point.key, Result(point.values, point.classifier, error=str(error))
    spent = "" if task.keep_data else point.data_key
    result.write(folder / RESULTS / f"{point.key}.json", spent)
    remove_folder(model)
    return point.key, result


def _train_and_read(point: Point, dataset: Dataset, folder: Path) -> Result:
    """Train the classifier of a point in `folder`, and let it read the test part."""
    made, begun = point.experiment, time.perf_counter()
    train(made, dataset, folder, limits=False)
    trained = time.perf_counter()
    loaded = load_model(folder)
    (evaluation,) = assess(loaded, part_of(loaded, dataset, "test")).values()
    seconds = (trained - begun, time.perf_counter() - trained)
    count = made.sizes()["train"] if made.fresh else len(made.parts(dataset.labels)["train"])
    return Result.of(point.values, point.classifier, evaluation, count, seconds)


def _read_trained(point: Point, model: TrainedReader, dataset: Dataset) -> Result:
    """Let a trained model read the test part."""
    begun = time.perf_counter()
    evaluation, far = model.read(point.experiment, dataset)
    seconds = (0.0, time.perf_counter() - begun)
    return Result.of(point.values, point.classifier, evaluation, model.trained_on, seconds, far)


def _remove_spent(
    folder: Path, points: Sequence[Point], found: dict[str, Result], *, keep_data: bool
) -> None:
    """Remove models and data sets of which nothing is to be read any more.

    Also those of an earlier call that ended between a result and the removal.
    """
    for data_key in distinct(p.data_key for p in points):
        group = [p for p in points if p.data_key == data_key]
        if not keep_data and not any(found[p.key].error for p in group):
            remove_folder(folder / DATA / data_key)
    for model in (folder / MODELS).iterdir():
        if (folder / RESULTS / f"{model.name}.json").exists():
            remove_folder(model)


def _remove_forgotten(folder: Path, points: Sequence[Point]) -> None:
    """Remove data sets that an earlier call of other points was to remove when it was killed."""
    ours = {p.data_key for p in points}
    for data in [place for place in (folder / DATA).iterdir() if place.name not in ours]:
        if any(Result.spent(note) == data.name for note in (folder / RESULTS).iterdir()):
            remove_folder(data)


def _write_summary(
    folder: Path, base: Experiment, axes: Sequence[Axis], results: Sequence[Result]
) -> None:
    from speckle_core.figures import encode

    write_text(folder / "study.csv", table(axes, results))
    png = encode(draw(axes, results))
    write_bytes(folder / "study.png", png)
    write_text(folder / "study.html", page(base, axes, results, png))


def summary(axes: Sequence[Axis], results: Sequence[Result]) -> dict[str, Any]:
    """Return axes and results as JSON types."""
    return {
        "vary": [{"path": axis.path, "values": list(axis.values)} for axis in axes],
        "results": [result.to_dict() for result in results],
    }

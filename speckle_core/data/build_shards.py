"""Shards on any executor: in this process, in a pool of our own, or on whatever one is given.

A worker gets the experiment as text and the number of a shard, writes the file itself, and hands
back its record; so patterns never travel between processes. What shards mean for a set is not
decided here.
"""

from __future__ import annotations

import concurrent.futures as cf
import functools
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import attrs

from speckle_core.data.manifest import Record, Shard
from speckle_core.data.shard import build
from speckle_core.data.workers import interrupts_later, one_thread, worker_pool
from speckle_core.errors import OutputError
from speckle_core.experiment.experiment import SIMULATION, Experiment
from speckle_core.experiment.pipeline import Pipeline
from speckle_core.experiment.provenance import version_of
from speckle_core.files import write_bytes
from speckle_core.plugins.manager import plugin_manager

OnRecord = Callable[[Record], None]
OnProgress = Callable[[int], None]

# Tasks given at a time to an executor of unknown size; each is a few hundred bytes.
_BACKLOG = 256
# Starting processes and importing in them takes a second or two: less work is done faster here.
_WORTH_A_POOL = 4.0
# Seconds per byte to pack, hash and write a pattern, roughly.
_STORING = 2e-9


@attrs.frozen
class Task:
    """One shard to make: plain values, which any process can be sent.

    Parameters
    ----------
    experiment : str
        The resolved experiment as JSON.
    folder : str
        Of the data set, the same for all workers.
    shard : Shard
        Which one.
    expected : str, optional
        SHA-256 it must have to be written; its record is returned in any case.
    """

    experiment: str
    folder: str
    shard: Shard
    expected: str | None = None


def make_shard(task: Task) -> Record:
    """Make one shard, write it and return its record: the work of one worker."""
    experiment, pipeline = _live(task.experiment, threading.get_ident())
    with one_thread():
        data = build(pipeline, experiment, task.shard)
    return _store(task, data, pipeline.grid.shape)


@functools.lru_cache(maxsize=8)
def _live(experiment: str, _thread: int) -> tuple[Experiment, Pipeline]:
    """Return the live objects, one set for each thread, since components may keep a scratchpad."""
    made = Experiment.from_dict(json.loads(experiment))
    return made, _warm(made)


def _warm(experiment: Experiment) -> Pipeline:
    """Return the pipeline once it has made a pattern, with all libraries loaded that it uses.

    BLAS can be held to one thread only where it is loaded already.
    """
    pipeline = experiment.build(only=SIMULATION)
    pipeline.simulate([pipeline.draw(experiment.counts[-1], 0, experiment.seed)])
    return pipeline


def _store(task: Task, data: bytes, shape: tuple[int, int]) -> Record:
    shard = task.shard
    sha256 = hashlib.sha256(data).hexdigest()
    if task.expected in (None, sha256):
        write_bytes(Path(task.folder) / shard.name, data)
    return Record(
        name=shard.name,
        sha256=sha256,
        bytes=len(data),
        shape=(shard.count, *shape),
        first=shard.first,
        count=shard.count,
    )


def produce(
    experiment: Experiment,
    folder: Path,
    shards: Iterable[Shard],
    *,
    on_record: OnRecord,
    on_progress: OnProgress,
    workers: int | None = None,
    executor: cf.Executor | None = None,
    expected: Mapping[str, str] | None = None,
) -> None:
    """Make `shards` of the resolved `experiment` below `folder`.

    Parameters
    ----------
    experiment, folder, shards
        What to make, and where.
    on_record : callable
        Told of every shard as soon as it is on disk, in any order, in the calling thread.
    on_progress : callable
        Told how many more patterns are made.
    workers : int, optional
        The most processes to use; by default one a core. Work of a few seconds, or with components
        that only this process knows, is done here.
    executor : concurrent.futures.Executor, optional
        Use this one instead; its workers must see `folder`.
    expected : mapping, optional
        SHA-256 that shards must have to be written, by name; `on_record` hears of them in any case.

    Raises
    ------
    SpeckleError
        The first one that a shard met; shards that were under way are finished and told of.
    """
    text = json.dumps(experiment.to_dict())
    tasks = [Task(text, str(folder), s, (expected or {}).get(s.name)) for s in shards]
    if not tasks:
        return
    if executor is not None:
        _spread(executor, tasks, _BACKLOG, on_record, on_progress)
        return
    workers = min(workers or _cores(), len(tasks))
    pipeline = _warm(experiment)
    if workers == 1 or _only_here(experiment) or _brief(experiment, pipeline, tasks):
        _here(experiment, pipeline, tasks, on_record, on_progress)
    else:
        with worker_pool(workers) as pool:
            # One more than are computed, so that none waits; Ctrl-C has to wait for all of them.
            _spread(pool, tasks, workers + 1, on_record, on_progress)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _only_here(experiment: Experiment) -> bool:
    """Say whether a component was registered in this process and is not installed."""
    choices = {role: choice for _, role, choice in experiment.choices()}
    return any(
        version_of(plugin_manager().find(role, choices[role].name).provider.distribution) is None
        for role in ("sampler", "scatterer")
    )


def _brief(experiment: Experiment, pipeline: Pipeline, tasks: list[Task]) -> bool:
    """Say whether the work is over sooner than processes would start: one pattern is timed."""
    begun = time.perf_counter()
    pipeline.simulate([pipeline.draw(experiment.counts[-1], 0, experiment.seed)])
    seconds = time.perf_counter() - begun + _STORING * 4 * pipeline.grid.size**2
    return seconds * sum(task.shard.count for task in tasks) < _WORTH_A_POOL


def _here(
    experiment: Experiment,
    pipeline: Pipeline,
    tasks: list[Task],
    on_record: OnRecord,
    on_progress: OnProgress,
) -> None:
    """Make shards in this process; while one is computed, the last is hashed and written."""
    waiting: list[cf.Future[Record]] = []

    def tell() -> None:
        for future in tuple(waiting):
            record = future.result()
            with interrupts_later():
                waiting.remove(future)
                on_record(record)

    with cf.ThreadPoolExecutor(1) as writer, one_thread():
        try:
            for task in tasks:
                data = build(pipeline, experiment, task.shard, on_progress)
                tell()
                with interrupts_later():
                    waiting.append(writer.submit(_store, task, data, pipeline.grid.shape))
            tell()
        finally:
            if all(future.exception() is None for future in waiting):
                tell()


def _spread(
    executor: cf.Executor,
    tasks: list[Task],
    backlog: int,
    on_record: OnRecord,
    on_progress: OnProgress,
) -> None:
    """Run `tasks` on `executor`, at most `backlog` of them handed in at a time."""
    todo = iter(tasks)
    pending: set[cf.Future[Record]] = set()

    def told(future: cf.Future[Record]) -> None:
        with interrupts_later():
            pending.discard(future)
            record = future.result()
            on_record(record)
        on_progress(record.count)

    try:
        while True:
            for task in todo:
                with interrupts_later():
                    pending.add(executor.submit(make_shard, task))
                if len(pending) >= backlog:
                    break
            if not pending:
                return
            for future in cf.wait(pending, return_when=cf.FIRST_COMPLETED).done:
                told(future)
    except cf.BrokenExecutor as error:
        raise OutputError(
            "a worker process ended before its work was done",
            hint="It may have run out of memory: use fewer workers. In a script, call generate "
            "below 'if __name__ == \"__main__\":', or with workers=1.",
        ) from error
    finally:
        # On an error or Ctrl-C: what has not begun is dropped, what is under way is kept.
        under_way = {future for future in pending if not future.cancel()}
        for future in cf.wait(under_way).done:
            if not future.cancelled() and future.exception() is None:
                told(future)

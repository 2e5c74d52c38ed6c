"""Build shards in this process, in a process pool, or on a given executor.

A worker receives the experiment as text and the number of a shard, writes the file itself and
returns its record, so patterns are never sent between processes.
"""

from __future__ import annotations

import concurrent.futures as cf
import functools
import hashlib
import itertools
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import attrs

from speckle_core.data.around import Buffer
from speckle_core.data.half import check_symmetric
from speckle_core.data.manifest import LIBRARIES, Record
from speckle_core.data.plan import Shard
from speckle_core.data.shard_bytes import LAYOUT, Scratch, build
from speckle_core.data.workers import cores, defer_interrupts, one_thread, run_on, worker_pool
from speckle_core.errors import OutputError
from speckle_core.experiment.components import SIMULATION
from speckle_core.experiment.experiment import Experiment
from speckle_core.experiment.pipeline import Pipeline
from speckle_core.experiment.provenance import version_of, versions, versions_behind
from speckle_core.files import write_pieces
from speckle_core.plugins.manager import plugin_manager

OnRecord = Callable[[Record], None]
OnProgress = Callable[[int], None]

# Tasks submitted at a time to an executor of unknown size; each is a few hundred bytes.
_BACKLOG = 256
# Starting processes and their imports takes a second or two, so less work than this [s] is faster
# in this process.
_WORTH_A_POOL = 4.0
# Rough time to pack, hash and write a pattern [s per byte].
_STORING = 2e-9


@attrs.frozen
class Task:
    """One shard to make, as plain values that can be sent to any process.

    Parameters
    ----------
    experiment : str
        The resolved experiment as JSON.
    folder : str
        Folder of the data set, the same path for all workers.
    shard : Shard
        Which one.
    expected : str, optional
        Write the file only if it has this SHA-256; its record is returned in any case.
    versions : str
        The software that the manifest names, as JSON; a worker with other versions refuses.
    layout : int
        Of the file; see `speckle_core.data.shard_bytes`.
    """

    experiment: str
    folder: str
    shard: Shard
    expected: str | None = None
    versions: str = "{}"
    layout: int = LAYOUT


def make_shard(task: Task) -> Record:
    """Make one shard, write it and return its record; this runs in the worker."""
    _check_versions(task.experiment, task.versions)
    experiment, pipeline, scratch = _cached_pipeline(task.experiment, threading.get_ident())
    with one_thread():
        data = build(pipeline, experiment, task.shard, scratch, layout=task.layout)
    return _store(task, data, pipeline.grid.shape)


@functools.lru_cache(maxsize=8)
def _cached_pipeline(experiment: str, _thread: int) -> tuple[Experiment, Pipeline, Scratch]:
    """Return experiment, pipeline and scratch, one of each per thread."""
    parsed = Experiment.from_dict(json.loads(experiment))
    return parsed, _warm_up(parsed), Scratch()


def software_of(experiment: Experiment) -> dict[str, str]:
    """Return the versions on which the bytes of a shard may depend."""
    found = versions(libraries=LIBRARIES)
    for _, role, choice in experiment.choices():
        if role in ("sampler", "scatterer", "detector"):
            found |= versions_behind(plugin_manager().find(role, choice.name))
    # Python and the machine may differ between workers.
    return {name: found[name] for name in found if name not in ("python", "machine")}


@functools.lru_cache(maxsize=8)
def _check_versions(experiment: str, wanted: str) -> None:
    """Raise `OutputError` when this worker has other software than the process that asks."""
    theirs: dict[str, str] = json.loads(wanted)
    ours = software_of(Experiment.from_dict(json.loads(experiment))) if theirs else {}
    differing = [
        f"{name} {ours.get(name, 'none')} instead of {theirs.get(name, 'none')}"
        for name in {**theirs, **ours}
        if ours.get(name) != theirs.get(name)
    ]
    if differing:
        raise OutputError(
            f"this worker has {', '.join(differing)}",
            where=f"{socket.gethostname()}, process {os.getpid()}",
            hint="Install the same versions for all workers. Finished shards are kept; "
            "run the same command again to resume.",
        )


def _warm_up(experiment: Experiment) -> Pipeline:
    """Build the pipeline and simulate one pattern, so that every library it uses is loaded.

    BLAS can be limited to one thread only once it is loaded.
    """
    pipeline = experiment.build(only=SIMULATION)
    _make_one(experiment, pipeline)
    return pipeline


def _make_one(experiment: Experiment, pipeline: Pipeline) -> None:
    """Make the last class's first pattern, which shows whether the detector leaves enough of it."""
    place = (experiment.counts[-1], 0)
    drawn = pipeline.draw(*place, experiment.seed)
    recorded = pipeline.record(pipeline.simulate([drawn]), [place], experiment.seed)
    pipeline.complete(*recorded)
    if experiment.storage.store == "half":
        check_symmetric(*recorded)


def check_first(experiment: Experiment) -> None:
    """Check, before anything is written, that the patterns of a resolved experiment can be made.

    Raises
    ------
    SpeckleError
        When the particles cannot be packed, or half of a pattern does not give the other.
    """
    pipeline = experiment.build(only=SIMULATION)
    if experiment.storage.store == "half":
        _make_one(experiment, pipeline)
    else:
        pipeline.draw(experiment.counts[-1], 0, experiment.seed)


def _store(task: Task, data: list[Buffer], shape: tuple[int, int]) -> Record:
    shard, digest = task.shard, hashlib.sha256()
    for piece in data:
        digest.update(piece)
    sha256 = digest.hexdigest()
    if task.expected in (None, sha256):
        write_pieces(Path(task.folder) / shard.name, data)
    return Record(
        name=shard.name,
        sha256=sha256,
        bytes=sum(map(len, data)),
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
    layout: int = LAYOUT,
) -> None:
    """Make `shards` of the resolved `experiment` below `folder`.

    Parameters
    ----------
    experiment, folder, shards
        What to make, and where.
    on_record : callable
        Called in the calling thread with the record of every shard once it is on disk, in any
        order.
    on_progress : callable
        Called with the number of patterns made since the last call.
    workers : int, optional
        Maximum number of processes, one per core by default. Work of a few seconds, or with
        components registered in this process only, is done in this process.
    executor : concurrent.futures.Executor, optional
        Used instead of a process pool; its workers must see `folder`.
    expected : mapping, optional
        SHA-256 by shard name: a shard with another one is not written, but still reported to
        `on_record`.
    layout : int
        Of the files, as the manifest says.

    Raises
    ------
    SpeckleError
        The first error of any shard, after the shards in progress are finished and reported.
    """
    text, software = json.dumps(experiment.to_dict()), json.dumps(software_of(experiment))
    tasks = [
        Task(text, str(folder), s, (expected or {}).get(s.name), software, layout) for s in shards
    ]
    if not tasks:
        return

    def report(record: Record) -> None:
        on_record(record)
        on_progress(record.count)

    if executor is not None:
        run_on(executor, make_shard, tasks, _BACKLOG, report)
        return
    workers = min(workers or cores(), len(tasks))
    pipeline = _warm_up(experiment)
    if workers == 1 or _has_local_components(experiment) or _is_brief(experiment, pipeline, tasks):
        _make_here(experiment, pipeline, tasks, on_record, on_progress)
    else:
        with worker_pool(workers) as pool:
            # One more than the workers, so that none is idle; Ctrl-C waits for all submitted tasks.
            run_on(pool, make_shard, tasks, workers + 1, report)


def _has_local_components(experiment: Experiment) -> bool:
    """Return whether a component is registered in this process but not installed."""
    choices = {role: choice for _, role, choice in experiment.choices()}
    return any(
        version_of(plugin_manager().find(role, choices[role].name).provider.distribution) is None
        for role in ("sampler", "scatterer", "detector")
        if role in choices
    )


def _is_brief(experiment: Experiment, pipeline: Pipeline, tasks: list[Task]) -> bool:
    """Time one pattern and return whether all of them take less time than starting processes."""
    started = time.perf_counter()
    _make_one(experiment, pipeline)
    seconds = time.perf_counter() - started + _STORING * 4 * pipeline.grid.size**2
    return seconds * sum(task.shard.count for task in tasks) < _WORTH_A_POOL


def _make_here(
    experiment: Experiment,
    pipeline: Pipeline,
    tasks: list[Task],
    on_record: OnRecord,
    on_progress: OnProgress,
) -> None:
    """Make shards in this process; a thread hashes and writes one while the next is computed."""
    waiting: list[cf.Future[Record]] = []
    # One for the shard that is computed, one for that which is written.
    scratch = (Scratch(), Scratch())

    def report_finished() -> None:
        for future in tuple(waiting):
            record = future.result()
            with defer_interrupts():
                waiting.remove(future)
                on_record(record)

    with cf.ThreadPoolExecutor(1) as writer, one_thread():
        try:
            for task, own in zip(tasks, itertools.cycle(scratch), strict=False):
                data = build(
                    pipeline,
                    experiment,
                    task.shard,
                    own,
                    layout=task.layout,
                    on_progress=on_progress,
                )
                report_finished()
                with defer_interrupts():
                    waiting.append(writer.submit(_store, task, data, pipeline.grid.shape))
            report_finished()
        finally:
            # After an error or Ctrl-C, the shard being written is still recorded.
            if all(future.exception() is None for future in waiting):
                report_finished()

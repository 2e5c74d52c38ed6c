"""Generate the data set of an experiment on disk, or the part of it that is still missing.

This module decides whether a folder may be written to and which shards are missing; shards are
built in `build_shards` and laid out in `shard`.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import attrs

from speckle_core.data.build_shards import check_first, produce
from speckle_core.data.dataset import Dataset
from speckle_core.data.journal import PARTS, Journal
from speckle_core.data.manifest import (
    LIBRARIES,
    MASTER,
    NAME,
    Manifest,
    Record,
    begin,
    patterns_of,
    read,
)
from speckle_core.data.master import write_master
from speckle_core.data.plan import SHARDS, Shard
from speckle_core.errors import DataError, OptionError, OutputError
from speckle_core.experiment.experiment import Experiment, recipe_of
from speckle_core.experiment.ownership import is_new
from speckle_core.experiment.provenance import versions
from speckle_core.experiment.schema import differences
from speckle_core.files import check_inside, make_folder, sweep
from speckle_core.locks import lock_folder

_ELSEWHERE = "Choose another folder; nothing in this one was changed."


def generate(
    experiment: Experiment,
    folder: str | os.PathLike[str],
    *,
    workers: int | None = None,
    executor: concurrent.futures.Executor | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Dataset:
    """Generate the data set of `experiment` in `folder`, or finish an interrupted call.

    Parameters
    ----------
    experiment : Experiment
        Its seed, structure, grid and scattering determine every byte of the patterns; the split
        and everything else are stored with them.
    folder : path
        New, empty, or containing a set of the same recipe.
    workers : int, optional
        Maximum number of processes, one per core by default. Work of a few seconds is done in the
        calling process.
    executor : concurrent.futures.Executor, optional
        Used instead of processes, for example dask's ``Client(address).get_executor()``. Its
        workers must see `folder` under the same path.
    on_progress : callable, optional
        Called with the number of patterns added, first with those already in the folder.

    Returns
    -------
    Dataset
        The complete set, opened.

    Raises
    ------
    OutputError
        When the folder contains something else (it is then left unchanged), another process is
        generating in it, or the disk is full. Finished shards stay; the same call resumes.
    PackingError, PluginError, OptionError
        When patterns of this experiment cannot be simulated.
    """
    folder = Path(folder).absolute()
    if workers is not None and workers < 1:
        raise OptionError(f"must be at least 1, not {workers}", where="workers")
    resolved = experiment.resolved()
    manifest = read_or_begin(folder, resolved)
    if find_missing(folder, manifest, manifest.plan):
        # Fail before a folder is created if the particles cannot be packed.
        check_first(resolved)
    make_folder(folder)
    with lock_folder(folder, "generate"), _lock_parts(folder):
        _fill(folder, resolved, workers, executor, on_progress or (lambda _: None))
    return Dataset.open(folder)


def patterns_there(experiment: Experiment, folder: str | os.PathLike[str]) -> int:
    """Return how many patterns of `experiment` are already in `folder`; nothing is written.

    Raises
    ------
    OutputError
        When the folder contains something else.
    """
    manifest = read_or_begin(Path(folder), experiment.resolved())
    missing = find_missing(Path(folder), manifest, manifest.plan)
    return patterns_of(manifest.experiment) - sum(shard.count for shard in missing)


def read_or_begin(folder: Path, resolved: Experiment) -> Manifest:
    """Return the manifest in `folder`, or a new one if the folder is new or empty.

    Raises
    ------
    OutputError
        When the folder contains something else.
    """
    new = is_new(folder)
    if not (folder / NAME).exists():
        if not new:
            raise OutputError(
                "is not empty and contains no data set", where=str(folder), hint=_ELSEWHERE
            )
        return begin(resolved, versions(resolved, libraries=LIBRARIES))
    try:
        manifest = read(folder)
    except DataError as error:
        raise OutputError(
            f"contains an unusable {NAME}: {error.what}",
            where=error.where,
            hint=f"{_ELSEWHERE} If it is what remains of a data set, remove the folder.",
        ) from error
    ours, theirs = (
        recipe_of(made) | attrs.asdict(made.storage) for made in (resolved, manifest.experiment)
    )
    if found := differences(ours, theirs):
        raise OutputError(
            f"contains the data of another experiment; they differ in {', '.join(found)}",
            where=str(folder),
            hint=_ELSEWHERE,
        )
    return manifest


def find_missing(folder: Path, manifest: Manifest, shards: Iterable[Shard]) -> list[Shard]:
    """Return those of `shards` that are missing or whose size is not the recorded one.

    A shard that was written but not recorded is made again, with the same bytes.
    """
    recorded = manifest.recorded

    def is_there(shard: Shard) -> bool:
        path, record = folder / shard.name, recorded.get(shard.name)
        return record is not None and path.is_file() and path.stat().st_size == record.bytes

    return [shard for shard in shards if not is_there(shard)]


@contextlib.contextmanager
def _lock_parts(folder: Path) -> Iterator[None]:
    """Lock every part in the locked `folder`; see `speckle_core.data.parts`."""
    check_inside(folder / PARTS, folder)
    with contextlib.ExitStack() as stack:
        for part in sorted((folder / PARTS).glob("*-of-*")):
            check_inside(part, folder)
            stack.enter_context(lock_folder(part, "generate"))
        yield


def _fill(
    folder: Path,
    resolved: Experiment,
    workers: int | None,
    executor: concurrent.futures.Executor | None,
    on_progress: Callable[[int], None],
) -> None:
    """Complete the data set in the locked folder."""
    manifest = read_or_begin(folder, resolved)
    sweep(folder)
    if not (folder / NAME).exists():
        # Write the manifest first: from here on, an interrupted call can be resumed.
        manifest.write(folder)
    if (folder / PARTS).is_dir():
        manifest.write(folder)
        shutil.rmtree(folder / PARTS)
    shards = make_folder(folder / SHARDS, within=folder)
    sweep(shards)
    missing = find_missing(folder, manifest, manifest.plan)
    if missing:
        manifest = manifest.also_made_with(versions(resolved, libraries=LIBRARIES))
    if missing or manifest.experiment != resolved:
        # The patterns are the same, but the split may differ: the latest experiment wins.
        manifest = attrs.evolve(manifest, experiment=resolved, master=None)
        manifest.write(folder)
    on_progress(patterns_of(resolved) - sum(shard.count for shard in missing))

    finished: list[Record] = []
    journal = Journal(folder)

    def on_record(record: Record) -> None:
        finished.append(record)
        journal.add(attrs.asdict(record))

    try:
        produce(
            resolved,
            folder,
            missing,
            on_record=on_record,
            on_progress=on_progress,
            workers=workers,
            executor=executor,
            layout=manifest.version,
        )
    except BaseException:
        # If the disk was full when a shard was recorded, removed temporary files may have made room
        # since.
        journal.close()
        with contextlib.suppress(OutputError):
            manifest.with_shards(finished).write(folder)
        sweep(folder)
        sweep(shards)
        raise
    journal.close()
    manifest = manifest.with_shards(finished)
    if manifest.master is None or not (folder / MASTER).is_file():
        write_master(folder, manifest)
    else:
        journal.remove()

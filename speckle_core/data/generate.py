"""From an experiment to a data set on disk: all of it, or what is still missing.

This module decides whether a folder may be written in and which shards it lacks; how shards are
made and laid out is `speckle_core.data`'s. It never looks into a pattern.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs

from speckle_core.data.build_shards import produce
from speckle_core.data.dataset import Dataset
from speckle_core.data.manifest import (
    LIBRARIES,
    MASTER,
    NAME,
    SHARDS,
    Manifest,
    Record,
    Shard,
    begin,
    patterns_of,
    read,
    recipe_of,
)
from speckle_core.data.master import write_master
from speckle_core.errors import DataError, OptionError, OutputError
from speckle_core.experiment.experiment import SIMULATION, Experiment
from speckle_core.experiment.provenance import versions
from speckle_core.experiment.schema import differences
from speckle_core.files import empty, make_folder, sweep

_ELSEWHERE = "Choose another folder; nothing here was touched."


def generate(
    experiment: Experiment,
    folder: str | os.PathLike[str],
    *,
    workers: int | None = None,
    executor: concurrent.futures.Executor | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Dataset:
    """Make the data set of `experiment` in `folder`, or what a cut-short call left to do.

    Parameters
    ----------
    experiment : Experiment
        Its seed, structure, grid and scattering decide every byte of the patterns; its split and
        the rest are noted beside them.
    folder : path
        New, empty, or holding a set of the same recipe.
    workers : int, optional
        The most processes to use, one a core by default. Work of a few seconds is done in this one.
    executor : concurrent.futures.Executor, optional
        Where to run instead, such as dask's ``Client(address).get_executor()``. Its workers must
        see `folder` under the same name.
    on_progress : callable, optional
        Told how many more patterns there are, those found in the folder first.

    Returns
    -------
    Dataset
        The whole set, opened.

    Raises
    ------
    OutputError
        When the folder holds something else (and is left as it was), another process is at work in
        it, or the disk is full. Whole shards stay, and the same call goes on from there.
    PackingError, PluginError, OptionError
        When patterns of this experiment cannot be made.
    """
    folder = Path(folder)
    if workers is not None and workers < 1:
        raise OptionError(f"must be at least 1, not {workers}", where="workers")
    resolved = experiment.resolved()
    manifest = _known(folder, resolved)
    if _missing(folder, manifest):
        # What cannot be packed is better known before a folder is made.
        resolved.build(only=SIMULATION).draw(resolved.counts[-1], 0, resolved.seed)
    make_folder(folder)
    with _alone(folder):
        _fill(folder, resolved, workers, executor, on_progress or (lambda _: None))
    return Dataset.open(folder)


def _known(folder: Path, resolved: Experiment) -> Manifest:
    """Return the manifest in `folder`, or a new one for a folder that is new or empty.

    Raises
    ------
    OutputError
        When the folder holds something else.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError("is a file, not a folder", where=str(folder))
    if not (folder / NAME).exists():
        if not empty(folder):
            raise OutputError(
                "is not empty and holds no data set", where=str(folder), hint=_ELSEWHERE
            )
        return begin(resolved, versions(resolved, libraries=LIBRARIES))
    try:
        manifest = read(folder)
    except DataError as error:
        raise OutputError(
            f"holds a {NAME} that is of no use: {error.what}",
            where=error.where,
            hint=f"{_ELSEWHERE} If it is the rest of a data set, remove the folder.",
        ) from error
    if found := differences(recipe_of(resolved), manifest.recipe):
        raise OutputError(
            f"holds the data of another experiment; they differ in {', '.join(found)}",
            where=str(folder),
            hint=_ELSEWHERE,
        )
    return manifest


def _missing(folder: Path, manifest: Manifest) -> list[Shard]:
    """Return the shards that are not there as recorded, judged by their size.

    One that was written but not recorded is made again, into the same bytes.
    """
    recorded = manifest.recorded

    def there(shard: Shard) -> bool:
        path, record = folder / shard.name, recorded.get(shard.name)
        return record is not None and path.is_file() and path.stat().st_size == record.bytes

    return [shard for shard in manifest.plan if not there(shard)]


def _fill(
    folder: Path,
    resolved: Experiment,
    workers: int | None,
    executor: concurrent.futures.Executor | None,
    on_progress: Callable[[int], None],
) -> None:
    """Bring the folder, in which nobody else is at work, to a whole set."""
    manifest = _known(folder, resolved)
    shards = make_folder(folder / SHARDS)
    sweep(folder)
    sweep(shards)
    missing = _missing(folder, manifest)
    if missing:
        manifest = manifest.also_made_with(versions(resolved, libraries=LIBRARIES))
    if missing or manifest.experiment != resolved:
        # The same patterns, but perhaps with another split: the latest word counts.
        manifest = attrs.evolve(manifest, experiment=resolved, master=None)
        manifest.write(folder)
    on_progress(patterns_of(resolved) - sum(shard.count for shard in missing))

    def on_record(record: Record) -> None:
        nonlocal manifest
        manifest = manifest.with_shard(record)
        manifest.write(folder)

    try:
        produce(
            resolved,
            folder,
            missing,
            on_record=on_record,
            on_progress=on_progress,
            workers=workers,
            executor=executor,
        )
    except BaseException:
        # A full disk may have refused the manifest; what was under way has made room since.
        with contextlib.suppress(OutputError):
            manifest.write(folder)
        sweep(folder)
        sweep(shards)
        raise
    if manifest.master is None or not (folder / MASTER).is_file():
        write_master(folder, manifest)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold `folder` against another process that would generate into it.

    Raises
    ------
    OutputError
        When one already does.
    """
    try:
        import fcntl
    except ImportError:  # not on Windows, where two at once are merely wasteful
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutputError(
                "another process is generating in it",
                where=str(folder),
                hint="Wait until it is done, or end it and run this again.",
            ) from None
        except OSError:  # a file system without locks
            pass
        yield
    finally:
        os.close(handle)

"""Import labelled measured frames as an ordinary data set: one grid, shards, hashes.

Nothing is invented: the recipe records the files, their hashes, and the options given.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core.contracts.grid import KGrid
from speckle_core.data.dataset import Dataset
from speckle_core.data.frame_options import FrameOptions, read_mask
from speckle_core.data.labels import labels_of_files
from speckle_core.data.manifest import LIBRARIES, NAME, Record, begin, read
from speckle_core.data.master import write_master
from speckle_core.data.measured import Measured, own_grid
from speckle_core.data.plan import SHARDS
from speckle_core.data.shard_bytes import build_measured
from speckle_core.errors import DataError, OutputError, SpeckleError
from speckle_core.experiment.experiment import Experiment
from speckle_core.experiment.provenance import versions
from speckle_core.experiment.sections import Grid, Imported
from speckle_core.experiment.split import Split
from speckle_core.files import empty, make_folder, sweep, write_pieces
from speckle_core.locks import lock_folder

_NOT_PART = ("mask", "poni")


def import_frames(
    files: Sequence[str | os.PathLike[str]],
    labels: str | Path | Sequence[int],
    folder: str | os.PathLike[str],
    options: FrameOptions | None = None,
    *,
    grid: KGrid | None = None,
    on_progress: Callable[[int], None] | None = None,
    on_remark: Callable[[str], None] | None = None,
) -> Dataset:
    """Write a data set of labelled frames to `folder`, and return it.

    Parameters
    ----------
    files : sequence of path
        Files of frames, in the order of the data set.
    labels : str, path or sequence of int
        The numbers, ``"folders"``, a table, or the name of a dataset; see `labels_of_files`.
    folder : path
        New, empty, or with the same import, complete or interrupted.
    options : FrameOptions, optional
        Mask, geometry, and how to read the frames.
    grid : KGrid, optional
        The grid to resample to; by default one around the first frame's k = 0 with its own step,
        or with step 1 (a pixel) if the step is unknown.
    on_progress : callable, optional
        Called with 1 after every frame.
    on_remark : callable, optional
        Called with remarks on a file for the user.

    Pixels that were not measured are stored as 0 beside a mask, and completed when they are read.

    Raises
    ------
    DataError
        When a label is wrong or missing, or a frame cannot be read or resampled to the grid. A
        data set has no gaps, so that frame must be corrected or left out.
    OutputError
        When the folder contains something else, is not writable, or another process writes to it.
    """
    options, folder = options or FrameOptions(), Path(folder)
    paths = [Path(file) for file in files]
    mask = None if options.mask is None else read_mask(options.mask)
    sources = [Measured(path, options, mask) for path in paths]
    frames = [len(source) for source in sources]
    found = labels_of_files(labels, paths, frames)
    step_known = True
    if grid is None:
        grid, step_known = own_grid(sources[0])
        for source in sources:
            source.whose = "that of the set"
    experiment = Experiment(
        name=folder.resolve().name.lstrip(".") or "imported",
        description="Measured patterns.",
        grid=Grid(layout=grid.layout, size=grid.size, step=grid.step),
        split=Split(stratify=True),
        imported=Imported(
            labels=tuple(found),
            files=tuple(path.name for path in paths),
            sha256=tuple(_sha256(path) for path in paths),
            frames=tuple(frames),
            options=_options_as_text(options),
            step_known=step_known,
        ),
    )
    make_folder(folder)
    with lock_folder(folder, "import"):
        if not _is_complete(folder, experiment):
            _write(experiment, sources, grid, folder, on_progress or (lambda _: None))
    for source in sources:
        for remark in source.remarks:
            if on_remark is not None:
                on_remark(f"{source.frames.path}: {remark}")
    return Dataset.open(folder)


def _is_complete(folder: Path, experiment: Experiment) -> bool:
    """Return whether this very import is complete already, and not only begun.

    Raises
    ------
    OutputError
        When the folder contains something else.
    """
    if empty(folder):
        return False
    try:
        known = read(folder)
    except DataError:
        known = None
    if known is None or known.experiment.to_dict() != experiment.to_dict():
        raise OutputError("is not empty", where=str(folder), hint="Choose another folder with -o.")
    return known.master is not None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _options_as_text(options: FrameOptions) -> tuple[str, ...]:
    """Return the options given, as text; a file is represented by its hash."""
    said = []
    for field in attrs.fields(FrameOptions):
        value: Any = getattr(options, field.name)
        if value != field.default and value not in (None, ()):
            if field.name in _NOT_PART:
                value = f"sha256:{_sha256(Path(str(value).partition('::')[0]))}"
            said.append(f"{field.name}={value}")
    return tuple(said)


def _write(
    experiment: Experiment,
    sources: Sequence[Measured],
    grid: KGrid,
    folder: Path,
    on_progress: Callable[[int], None],
) -> None:
    """Write the shards, the master and the manifest of `experiment`."""
    made_with = versions(libraries=LIBRARIES)
    manifest = begin(experiment, made_with)
    # First of all, so that the folder is known as ours after an interruption.
    sweep(folder)
    manifest.write(folder)
    sweep(make_folder(folder / SHARDS, within=folder))
    patterns = _patterns(sources, grid, on_progress)
    records: list[Record] = []
    try:
        for shard in manifest.plan:
            some = [next(patterns) for _ in range(shard.count)]
            data = build_measured(some, experiment, shard)
            write_pieces(folder / shard.name, data)
            record = Record(
                name=shard.name,
                sha256=hashlib.sha256(b"".join(data)).hexdigest(),
                bytes=sum(map(len, data)),
                shape=(shard.count, *grid.shape),
                first=shard.first,
                count=shard.count,
            )
            records.append(record)
    except SpeckleError:
        # An incomplete import is useless, so remove what was written.
        for shard in manifest.plan:
            (folder / shard.name).unlink(missing_ok=True)
        sweep(folder / SHARDS)
        (folder / SHARDS).rmdir()
        (folder / NAME).unlink()
        raise
    manifest = manifest.with_shards(records)
    manifest.write(folder)
    write_master(folder, manifest)


def _patterns(
    sources: Sequence[Measured], grid: KGrid, on_progress: Callable[[int], None]
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
    """Iterate over all frames, resampled to the grid, and their measured pixels."""
    for source in sources:
        for index in range(len(source)):
            try:
                found, _ = source.on_grid(index, grid)
            except SpeckleError as error:
                raise DataError(
                    error.what,
                    where=f"{source.frames.path}: pattern {index}",
                    hint=error.hint,
                ) from error
            on_progress(1)
            yield found.pattern.astype(np.float32), found.measured

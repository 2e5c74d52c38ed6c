"""`verify`: whether every byte of a data set is what it was when it was made, and mending it.

The SHA-256 in the manifest is the judge: of single flipped bits, checksums within HDF5 miss some.
A mended shard is made from the experiment anew and kept only if it has the recorded bytes.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import attrs

from speckle_core.data.build_shards import produce
from speckle_core.data.manifest import (
    LIBRARIES,
    MASTER,
    NAME,
    SHARDS,
    Manifest,
    Record,
    Shard,
    read,
)
from speckle_core.data.master import write_master
from speckle_core.data.shard import check_recipe, labels_of, open_shard
from speckle_core.errors import DataError
from speckle_core.experiment.provenance import versions
from speckle_core.files import is_leftover, make_folder, sweep

_PIECE = 2**20


@attrs.frozen
class Problem:
    """What is wrong with one file of a set: its name within the folder, and a sentence."""

    name: str
    what: str


@attrs.frozen(kw_only=True)
class VerifyReport:
    """What `verify` found.

    Parameters
    ----------
    folder : Path
        Of the data set.
    checked : int
        Number of shards looked at: all that the set should have.
    problems : tuple of Problem
        What is wrong now; after a repair, what could not be mended.
    repaired : tuple of str
        Names of the files that were mended.
    strays : tuple of str
        Files that do not belong to the set; they are left alone and do no harm.
    """

    folder: Path
    checked: int
    problems: tuple[Problem, ...] = ()
    repaired: tuple[str, ...] = ()
    strays: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every file of the set is whole."""
        return not self.problems


def verify(
    folder: str | os.PathLike[str],
    *,
    repair: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> VerifyReport:
    """Check every byte of the data set in `folder`; with `repair`, make damaged shards anew.

    Parameters
    ----------
    folder : path
        Of the data set.
    repair : bool
        Mend what is damaged or missing. The components that made the set must be installed.
    on_progress : callable, optional
        Told how many more patterns were looked at.

    Raises
    ------
    DataError
        When there is no data set, or its manifest is damaged: nothing can be judged without it.
    """
    folder = Path(folder)
    manifest = read(folder)
    problems: dict[str, Problem] = {}
    for shard in manifest.plan:
        what = _shard_fault(folder, manifest, shard)
        if what is not None:
            problems[shard.name] = Problem(shard.name, what)
        if on_progress is not None:
            on_progress(shard.count)
    what = _master_fault(folder, manifest)
    if what is not None:
        problems[MASTER] = Problem(MASTER, what)
    repaired: tuple[str, ...] = ()
    if repair:
        broken = tuple(problems)
        _repair(folder, manifest, problems)
        repaired = tuple(name for name in broken if name not in problems)
    return VerifyReport(
        folder=folder,
        checked=len(manifest.plan),
        problems=tuple(problems.values()),
        repaired=repaired,
        strays=_strays(folder, manifest),
    )


def _shard_fault(folder: Path, manifest: Manifest, shard: Shard) -> str | None:
    record = manifest.recorded.get(shard.name)
    if record is None:
        return "was not made yet"
    fault = _bytes_fault(folder, record)
    if fault is not None:
        return fault
    # The manifest may be a stranger's, and vouch for what is no shard of ours.
    try:
        data = open_shard(folder, shard, manifest.grid, labels_of(manifest.experiment, shard))
        with data.file:
            check_recipe(data.file, manifest.experiment)
    except DataError as error:
        return f"{error.where}: {error.what}"
    return None


def _master_fault(folder: Path, manifest: Manifest) -> str | None:
    if manifest.master is None:
        return "was not made yet"
    return _bytes_fault(folder, manifest.master)


def _bytes_fault(folder: Path, record: Record) -> str | None:
    path = folder / record.name
    if not path.is_file():
        return "is missing"
    try:
        size = path.stat().st_size
        if size != record.bytes:
            return f"has {size} bytes instead of {record.bytes}"
        found = hashlib.sha256()
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                found.update(piece)
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    if found.hexdigest() != record.sha256:
        return "has other bytes than when it was made (its SHA-256 differs)"
    return None


def _repair(folder: Path, manifest: Manifest, problems: dict[str, Problem]) -> None:
    """Mend what can be, and leave in `problems` what cannot."""
    sweep(folder)
    sweep(make_folder(folder / SHARDS))
    recorded = manifest.recorded
    changed: list[str] = []

    def on_record(record: Record) -> None:
        nonlocal manifest
        known = recorded.get(record.name)
        if known is not None and known.sha256 != record.sha256:
            changed.append(record.name)
            return
        del problems[record.name]
        if known is None:
            manifest = manifest.with_shard(record)
            manifest.write(folder)

    produce(
        manifest.experiment,
        folder,
        [shard for shard in manifest.plan if shard.name in problems],
        on_record=on_record,
        on_progress=lambda _: None,
        expected={name: record.sha256 for name, record in recorded.items()},
    )
    for name in changed:
        problems[name] = Problem(name, _why_changed(manifest))
    if MASTER in problems and len(problems) == 1:
        write_master(folder, manifest)
        del problems[MASTER]


def _why_changed(manifest: Manifest) -> str:
    now = versions(manifest.experiment, libraries=LIBRARIES)
    other = [
        f"{name} {then} then, {now.get(name, 'none')} now"
        for name, then in manifest.versions.items()
        if now.get(name) != then
    ]
    cause = "; ".join(other) or "the same versions made it, so another kind of processor"
    return f"is damaged, and made anew it has other bytes ({cause}); generate the set anew"


def _strays(folder: Path, manifest: Manifest) -> tuple[str, ...]:
    ours = {NAME, MASTER, *(shard.name for shard in manifest.plan)}
    found = [path for path in folder.iterdir() if path.name != SHARDS]
    if (folder / SHARDS).is_dir():
        found += (folder / SHARDS).iterdir()
    names = (path.relative_to(folder).as_posix() for path in sorted(found) if not is_leftover(path))
    return tuple(name for name in names if name not in ours)

"""`verify`: check every byte of a data set, and repair it.

Files are compared with the SHA-256 in the manifest, since the checksums within HDF5 miss some
flipped bits. A repaired shard is regenerated from the experiment, and kept only if its bytes are
the recorded ones.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from speckle_core.contracts.arrays import IntArray
from speckle_core.contracts.grid import KGrid
from speckle_core.data.build_shards import produce
from speckle_core.data.journal import NAME as JOURNAL
from speckle_core.data.journal import PARTS, Journal
from speckle_core.data.manifest import (
    LIBRARIES,
    MASTER,
    NAME,
    Manifest,
    Record,
    patterns_of,
    read,
)
from speckle_core.data.master import write_master
from speckle_core.data.plan import SHARDS, Shard
from speckle_core.data.shard import check_recipe, labels_of, open_shard
from speckle_core.data.trial import try_hdf5
from speckle_core.errors import DataError
from speckle_core.experiment.provenance import versions
from speckle_core.files import check_inside, is_leftover, make_folder, sweep
from speckle_core.locks import lock_folder
from speckle_core.notes import digest

_UNMADE = "has not been made yet"
_MEASURED = (
    "; measured patterns cannot be simulated again: remove the folder and import its frames again"
)
# Shards named where many have not been made.
_LISTED = 1000


@attrs.frozen
class Problem:
    """A fault of one file: its name within the folder, a description, and whether it can be mended.

    Patterns that were measured cannot be simulated again.
    """

    name: str
    what: str
    repairable: bool = True


@attrs.frozen(kw_only=True)
class VerifyReport:
    """Result of `verify`.

    Parameters
    ----------
    folder : Path
        Folder of the data set.
    checked : int
        Number of shards checked: all that the set should have.
    problems : tuple of Problem
        All faults found; after a repair, those that could not be repaired.
    repaired : tuple of str
        Names of the repaired files.
    records : tuple of str
        Files that were intact but had a wrong record in the manifest.
    strays : tuple of str
        Files that do not belong to the set; they are harmless and left alone.
    """

    folder: Path
    checked: int
    problems: tuple[Problem, ...] = ()
    repaired: tuple[str, ...] = ()
    records: tuple[str, ...] = ()
    strays: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every file of the set is intact."""
        return not self.problems


def verify(
    folder: str | os.PathLike[str],
    *,
    repair: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> VerifyReport:
    """Check every byte of the data set in `folder`; with `repair`, regenerate damaged shards.

    Parameters
    ----------
    folder : path
        Folder of the data set.
    repair : bool
        Regenerate what is damaged or missing. The components that made the set must be installed.
    on_progress : callable, optional
        Called with the number of patterns checked since the last call.

    Raises
    ------
    DataError
        When there is no data set, or its manifest is damaged, without which nothing can be checked.
    """
    folder = Path(folder).absolute()
    problems: dict[str, Problem] = {}
    try:
        manifest = read(folder)
    except DataError as error:
        if not repair:
            raise
        # Its contents may still be right; the shards will show.
        manifest = read(folder, sealed=False)
        problems[NAME] = Problem(NAME, error.what)
    on_progress = on_progress or (lambda _: None)
    planned, grid, recipe = manifest.plan, manifest.grid, manifest.recipe
    for record in manifest.shards:
        shard = planned[record.first // planned.most]
        labels = labels_of(manifest.experiment, shard)
        what = _find_bytes_fault(folder, record) or _find_content_fault(
            folder, shard, grid, labels, recipe, manifest.experiment.storage.store
        )
        if what is not None:
            problems[record.name] = Problem(record.name, what)
        on_progress(record.count)
    for problem in _find_unmade(manifest):
        problems[problem.name] = problem
    if unmade := patterns_of(manifest.experiment) - sum(r.count for r in manifest.shards):
        on_progress(unmade)
    what = _find_master_fault(folder, manifest)
    if what is not None:
        problems[MASTER] = Problem(MASTER, what)
    if manifest.experiment.imported is not None:
        for name in problems.keys() - {NAME, MASTER, SHARDS}:
            problems[name] = Problem(name, problems[name].what + _MEASURED, repairable=False)
    found = tuple(problems)
    records: tuple[str, ...] = ()
    if repair and found:
        with lock_folder(folder, "verify --repair"):
            records = _repair(folder, manifest, problems)
    return VerifyReport(
        folder=folder,
        checked=len(manifest.plan),
        problems=tuple(problems.values()),
        repaired=tuple(name for name in found if name not in problems),
        records=records,
        strays=_strays(folder, manifest),
    )


def _find_unmade(manifest: Manifest) -> Iterator[Problem]:
    """Iterate over the shards that are not recorded, the first ones by name."""
    recorded = manifest.recorded
    unmade = len(manifest.plan) - len(recorded)
    shards = (shard for shard in manifest.plan if shard.name not in recorded)
    for shard in itertools.islice(shards, _LISTED):
        yield Problem(shard.name, _UNMADE)
    if unmade > _LISTED:
        yield Problem(SHARDS, f"{unmade - _LISTED} more shards have not been made yet")


def _find_content_fault(
    folder: Path,
    shard: Shard,
    grid: KGrid,
    labels: IntArray,
    recipe: Mapping[str, Any],
    store: str,
) -> str | None:
    """Check an untouched file: an untrusted manifest may list one that is not this shard."""

    def check() -> None:
        with open_shard(folder, shard, grid, labels, store).file as file:
            check_recipe(file, recipe)

    try:
        try_hdf5(folder / shard.name, check)
        check()
    except DataError as error:
        return f"{error.where}: {error.what}"
    return None


def _find_master_fault(folder: Path, manifest: Manifest) -> str | None:
    if manifest.master is None:
        return _UNMADE
    return _find_bytes_fault(folder, manifest.master)


def _find_bytes_fault(folder: Path, record: Record) -> str | None:
    path = folder / record.name
    if not path.resolve().is_relative_to(folder.resolve()):
        return "is a link out of the data set folder"
    if not path.is_file():
        return "is missing"
    try:
        size = path.stat().st_size
        if size != record.bytes:
            return f"has {size} bytes instead of {record.bytes}"
        if digest(path) != record.sha256:
            return "has changed since it was made (its SHA-256 differs)"
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    return None


def _repair(folder: Path, manifest: Manifest, problems: dict[str, Problem]) -> tuple[str, ...]:
    """Repair what is possible, leave the rest in `problems`; return files with wrong records."""
    records = [NAME] if NAME in problems else []
    for place in (folder / SHARDS, *(folder / name for name in problems)):
        check_inside(place, folder)
    sweep(folder)
    sweep(make_folder(folder / SHARDS, within=folder))
    recorded = manifest.recorded
    changed: list[str] = []
    finished: list[Record] = []
    journal = Journal(folder)

    def on_record(record: Record) -> None:
        known = recorded.get(record.name)
        if known is not None and known.sha256 != record.sha256:
            if _find_bytes_fault(folder, record) is not None:
                changed.append(record.name)
                return
            # The file matches the experiment, so its record was wrong.
            records.append(record.name)
        if known is None or known.sha256 != record.sha256:
            finished.append(record)
            journal.add(attrs.asdict(record))
        problems.pop(record.name, None)

    damaged = [s for s in manifest.plan if s.name in problems or s.name not in recorded]
    if manifest.experiment.imported is not None:
        damaged = []  # measured patterns cannot be simulated again
    try:
        produce(
            manifest.experiment,
            folder,
            damaged,
            on_record=on_record,
            on_progress=lambda _: None,
            expected={s.name: recorded[s.name].sha256 for s in damaged if s.name in recorded},
            layout=manifest.version,
        )
    finally:
        journal.close()
        if finished:
            manifest = manifest.with_shards(finished)
            manifest.write(folder)
    problems.pop(SHARDS, None)
    for name in changed:
        problems[name] = Problem(name, _explain_changed_bytes(manifest))
    if problems.keys() == {NAME}:
        manifest.write(folder)
        del problems[NAME]
    if problems.keys() - {NAME} == {MASTER}:
        write_master(folder, manifest)
        problems.clear()
    return tuple(name for name in records if name not in problems)


def _explain_changed_bytes(manifest: Manifest) -> str:
    now = versions(manifest.experiment, libraries=LIBRARIES)
    other = [
        f"{name} {then} then, {now.get(name, 'none')} now"
        for name, then in manifest.versions.items()
        if now.get(name) != then
    ]
    cause = "; ".join(other) or "the same versions, so probably another kind of processor"
    return f"is damaged, and regenerating it gives other bytes ({cause}); generate the set again"


def _strays(folder: Path, manifest: Manifest) -> tuple[str, ...]:
    beside = {path.name for path in folder.iterdir() if not is_leftover(path)}
    strays = beside - {NAME, MASTER, JOURNAL, PARTS, SHARDS}
    if (folder / SHARDS).is_dir():
        for path in (folder / SHARDS).iterdir():
            name = f"{SHARDS}/{path.name}"
            if not is_leftover(path) and not _is_planned(name, manifest):
                strays.add(name)
    return tuple(sorted(strays))


def _is_planned(name: str, manifest: Manifest) -> bool:
    number = name.removeprefix(f"{SHARDS}/").removesuffix(".h5")
    planned = manifest.plan
    return number.isdecimal() and int(number) < len(planned) and planned[int(number)].name == name

"""`verify` for any folder that speckle wrote: a data set, a model, or a whole run.

The package of each kind checks its own files; this module recognises the kind of folder and
converts the results to one form.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path

from speckle_core.data.manifest import NAME as DATA
from speckle_core.data.manifest import patterns_of
from speckle_core.data.manifest import read as read_manifest
from speckle_core.data.verify import Problem, VerifyReport
from speckle_core.data.verify import verify as verify_data
from speckle_core.errors import DamageWarning, DataError, ModelError, OutputError, SpeckleError
from speckle_core.files import is_leftover, sweep
from speckle_core.locks import lock_folder, remove_stale_lock
from speckle_core.models.folder import RECORD, read_record
from speckle_core.models.started import STARTED
from speckle_core.notes import find_damage, read_json
from speckle_core.run import Run
from speckle_core.run_folder import MANIFEST as RUN


def patterns_in(folder: Path) -> int:
    """Return how many patterns `verify` checks in `folder`, or 0 if unknown."""
    for place in (folder, folder / "data"):
        try:
            return patterns_of(read_manifest(place).experiment)
        except SpeckleError:
            continue
    return 0


def verify(
    folder: str | os.PathLike[str],
    *,
    repair: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> VerifyReport:
    """Check every recorded file of a data set, model or run in `folder`; optionally repair it.

    Parameters
    ----------
    folder : path
        A folder written by ``speckle generate``, ``train`` or ``run``.
    repair : bool
        Repair what is damaged or missing: patterns are simulated again, and stages of a run
        repeated. A single model cannot be repaired without its training data.
    on_progress : callable, optional
        Called with the number of patterns checked since the last call.

    Raises
    ------
    SpeckleError
        When the folder is none of these, or its record is damaged.
    """
    folder = Path(folder).absolute()
    if repair:
        _sweep(folder)
    if (folder / RUN).exists():
        return _run(folder, repair, on_progress)
    if (folder / RECORD).exists():
        return _model(folder, repair)
    if not (folder / DATA).exists() and (folder / STARTED).exists():
        raise ModelError("is an unfinished training", where=str(folder))
    return verify_data(folder, repair=repair, on_progress=on_progress)


def _sweep(folder: Path) -> None:
    """Remove what an interrupted repair left behind in a folder that speckle wrote."""
    if not any((folder / name).exists() for name in (RUN, RECORD, DATA)):
        return
    left = [path for path in folder.rglob("*") if is_leftover(path)]
    if left:
        with lock_folder(folder, "verify --repair"):
            for home in {path.parent for path in left}:
                sweep(home)
                if home != folder:
                    remove_stale_lock(home)


def _model(folder: Path, repair: bool) -> VerifyReport:
    record = read_record(folder)
    found = find_damage(folder, record.files)
    if not record.files:
        found[RECORD] = (
            "lists no SHA-256, since version 0.1.0 wrote it, so damage cannot be detected"
        )
    elif repair:
        why = "; its record is intact. Remove model.toml and train again with the same command"
        found = {name: what + why for name, what in found.items()}
    if (folder / STARTED).exists():
        try:
            read_json(folder / STARTED)
        except (OSError, ValueError) as error:
            found[STARTED] = str(error)
    ours = {*record.files, RECORD, STARTED}
    names = (p.relative_to(folder).as_posix() for p in sorted(folder.rglob("*")) if p.is_file())
    known = ("checkpoint/", "tensorboard/")
    return VerifyReport(
        folder=folder,
        checked=len(record.files),
        problems=tuple(Problem(name, what) for name, what in found.items()),
        strays=tuple(
            n for n in names if n not in ours and not n.startswith(known) and not _is_leftover(n)
        ),
    )


def _is_leftover(name: str) -> bool:
    return any(is_leftover(Path(part)) for part in Path(name).parts)


def _run(folder: Path, repair: bool, on_progress: Callable[[int], None] | None) -> VerifyReport:
    try:
        run = Run.open(folder)
        found = _damage_of(run, on_progress)
    except OutputError as error:
        if not repair:
            raise
        run, found = Run.rescue(folder), {RUN: error.what}
    broken = tuple(found)
    if repair and found:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DamageWarning)
            Run.begin(run.experiment, folder).execute()
        run = Run.open(folder)
        found = _damage_of(run, None)
    return VerifyReport(
        folder=folder,
        checked=sum(len(files) for files in run.files.values()),
        problems=tuple(Problem(name, what) for name, what in found.items()),
        repaired=tuple(name for name in broken if name not in found),
    )


def _damage_of(run: Run, on_progress: Callable[[int], None] | None) -> dict[str, str]:
    """Return the faults in the finished stages of a run, by path."""
    found: dict[str, str] = {}
    for stage in run.stages:
        if stage != "generate":
            found |= run.find_damage(stage)
            continue
        try:
            report = verify_data(run.data, on_progress=on_progress)
            found |= {f"{run.data.name}/{p.name}": p.what for p in report.problems}
        except DataError as error:
            found[f"{run.data.name}/{DATA}"] = error.what
        found |= {k: v for k, v in run.find_damage(stage).items() if k not in found}
    return found

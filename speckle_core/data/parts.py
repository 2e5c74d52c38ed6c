"""Parts of a data set that independent jobs make in one folder, such as those of a job array.

Part i of N are the shards i, i + N, i + 2N …. Each part has its own lock and its own journal below
``parts/``, so no job waits for another. The manifest is not changed before `generate` collects the
parts.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Self

import attrs

from speckle_core.data.build_shards import produce, software_of
from speckle_core.data.generate import find_missing, read_or_begin
from speckle_core.data.journal import PARTS, Journal
from speckle_core.data.manifest import NAME, Manifest, Record
from speckle_core.data.plan import SHARDS, Shard
from speckle_core.errors import OptionError, OutputError
from speckle_core.experiment.experiment import Experiment
from speckle_core.files import make_folder
from speckle_core.locks import BusyError, lock_folder

# All jobs of an array may start at once, and each has the folder to itself for some milliseconds.
_PATIENCE, _PAUSE = 60.0, 0.1


@attrs.frozen
class Part:
    """Part `number` of `of`, counted from 1."""

    number: int
    of: int

    def __attrs_post_init__(self) -> None:
        if not 1 <= self.number <= self.of:
            raise OptionError(
                f"{self.number}/{self.of} is not a part: the first of {self.of} is 1/{self.of}",
                where="shard",
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the part written as ``i/N``.

        Raises
        ------
        OptionError
            When it is not two whole numbers from 1 on, the first at most the second.
        """
        found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
        if found is None:
            raise OptionError(f"{text!r} is not of the form i/N, such as 3/16", where="shard")
        return cls(int(found[1]), int(found[2]))

    def of_plan(self, shards: Sequence[Shard]) -> Iterator[Shard]:
        """Iterate over the shards of this part."""
        return (shards[number] for number in range(self.number - 1, len(shards), self.of))


def missing_in(
    experiment: Experiment, folder: str | os.PathLike[str], part: Part
) -> tuple[list[Shard], int]:
    """Return the shards of `part` that are not in `folder` yet, and how many patterns it has.

    Raises
    ------
    OutputError
        When the folder contains something else.
    """
    manifest = read_or_begin(Path(folder).absolute(), experiment.resolved())
    own = list(part.of_plan(manifest.plan))
    return find_missing(Path(folder), manifest, own), sum(shard.count for shard in own)


def generate_part(
    experiment: Experiment,
    folder: str | os.PathLike[str],
    part: Part,
    *,
    workers: int | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> None:
    """Generate one part of the data set of `experiment` in `folder`, or finish it.

    Other parts may be made at the same time, on any machine that sees the folder. When all are
    finished, `generate` collects them.

    Parameters
    ----------
    experiment, folder, workers
        As for `generate`; all parts need the same software.
    part : Part
        Which one.
    on_progress : callable, optional
        Called with the number of patterns added.

    Raises
    ------
    OutputError
        As `generate` does, or when this machine's software is not that of the other parts.
    PackingError, PluginError, OptionError
        When patterns of this experiment cannot be simulated.
    """
    folder = Path(folder).absolute()
    resolved = experiment.resolved()
    read_or_begin(folder, resolved)
    make_folder(folder)
    home = folder / PARTS / f"{part.number}-of-{part.of}"
    doing = f"generate --shard {part.number}/{part.of}"
    with contextlib.ExitStack() as stack:
        with _wait_for(folder, doing):
            manifest = read_or_begin(folder, resolved)
            _check_software(manifest, resolved)
            if not (folder / NAME).exists():
                manifest.write(folder)
            make_folder(folder / SHARDS, within=folder)
            make_folder(home, within=folder)
            # Taken before the folder is given back, so that `generate` cannot miss it.
            stack.enter_context(lock_folder(home, doing))
        missing = find_missing(folder, manifest, list(part.of_plan(manifest.plan)))
        journal = stack.enter_context(Journal(home))

        def on_record(record: Record) -> None:
            journal.add(attrs.asdict(record))

        produce(
            resolved,
            folder,
            missing,
            on_record=on_record,
            on_progress=on_progress or (lambda _: None),
            workers=workers,
            layout=manifest.version,
        )


@contextlib.contextmanager
def _wait_for(folder: Path, doing: str) -> Iterator[None]:
    """Lock `folder`, after waiting for jobs that are just starting."""
    end = time.monotonic() + _PATIENCE
    with contextlib.ExitStack() as stack:
        while True:
            try:
                stack.enter_context(lock_folder(folder, doing))
                break
            except BusyError:
                if time.monotonic() > end:
                    raise
                time.sleep(_PAUSE)
        yield


def _check_software(manifest: Manifest, resolved: Experiment) -> None:
    ours = software_of(resolved)
    differing = [
        f"{name} {ours[name]} instead of {manifest.versions.get(name, 'none')}"
        for name in ours
        if ours[name] != manifest.versions.get(name)
    ]
    if differing:
        raise OutputError(
            f"this machine has {', '.join(differing)}",
            where=NAME,
            hint="All parts of a set need the same software. Install it, or finish the set with "
            "'speckle generate' without --shard.",
        )

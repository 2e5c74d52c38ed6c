"""`manifest.json`: the experiment, the software versions, and the checksum of every shard.

The manifest, with the journal beside it while shards are made, decides whether a shard is complete.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import attrs

from speckle_core.contracts.grid import KGrid
from speckle_core.data.journal import NAME as JOURNAL
from speckle_core.data.journal import Journal, list_journals, read_journals
from speckle_core.data.plan import SHARDS, Plan, plan
from speckle_core.errors import DataError, ExperimentError
from speckle_core.experiment.experiment import Experiment, recipe_of
from speckle_core.experiment.schema import converter, structure
from speckle_core.notes import read_json, write_json

NAME = "manifest.json"
MASTER = "patterns.h5"
FORMAT: Literal["speckle-dataset"] = "speckle-dataset"
#: Of new sets. Version 1 differs in the layout of its shards only, and is completed in its own.
VERSION = 2
_READ = (1, VERSION)
# Limits for an untrusted manifest: its bytes, more of them where there are many shards, and the
# labels of imported patterns.
_LARGEST, _LARGEST_RECORD = 2**25, 512
_MOST_LABELS = 10**5
#: Libraries whose version can change the bytes of a set.
LIBRARIES = ("numpy", "scipy", "h5py")


@attrs.frozen(kw_only=True)
class Record:
    """One finished file: its name in the folder, its checksum, size and contents."""

    name: str
    sha256: str
    bytes: int
    shape: tuple[int, ...]
    first: int
    count: int


_KEYS = {field.name for field in attrs.fields(Record)}
_SHA256 = re.compile("[0-9a-f]{64}")


@attrs.frozen(kw_only=True)
class Manifest:
    """The content of ``manifest.json``.

    Parameters
    ----------
    format, version
        The kind of file, and the version of the layout of the set.
    seed : int
        The experiment's seed, repeated for convenience.
    experiment : Experiment
        Resolved: every default is written out.
    versions : dict
        Of the software that made the set.
    shards : tuple of Record
        The finished shards, in order.
    master : Record, optional
        The file that combines all shards, written once all are finished.
    """

    format: Literal["speckle-dataset"]
    version: int
    seed: int
    experiment: Experiment
    versions: dict[str, str]
    shards: tuple[Record, ...] = ()
    master: Record | None = None

    @property
    def recipe(self) -> dict[str, Any]:
        """The part of the experiment that determines the patterns.

        The same as `Experiment.data_recipe`, but needs no plugin.
        """
        return recipe_of(self.experiment)

    @property
    def grid(self) -> KGrid:
        """The grid of the patterns."""
        return self.experiment.kgrid()

    @property
    def plan(self) -> Plan:
        """Every shard of the complete set."""
        return plan(patterns_of(self.experiment), self.grid)

    @property
    def recorded(self) -> dict[str, Record]:
        """The records of the finished shards, by name."""
        return {record.name: record for record in self.shards}

    def with_shards(self, records: Iterable[Record]) -> Manifest:
        """Return the manifest with these shards added or replaced."""
        if not (added := {record.name: record for record in records}):
            return self
        shards = self.recorded | added
        return attrs.evolve(self, shards=tuple(sorted(shards.values(), key=lambda r: r.first)))

    def also_made_with(self, versions: dict[str, str]) -> Manifest:
        """Return the manifest with these software versions added where they differ."""
        joined = dict(self.versions)
        for name, version in versions.items():
            known = joined.get(name)
            if known is None:
                joined[name] = version
            elif version not in known.split(", "):
                joined[name] = f"{known}, {version}"
        return attrs.evolve(self, versions=joined)

    def write(self, folder: Path) -> None:
        """Write it to `folder` atomically; the journal there, which it includes, is removed."""
        data = converter.unstructure(self) | {"experiment": self.experiment.to_dict()}
        write_json(folder / NAME, data)
        Journal(folder).remove()


def patterns_of(experiment: Experiment) -> int:
    """Return the number of patterns of an experiment without allocating their labels."""
    return experiment.patterns


def begin(resolved: Experiment, versions: dict[str, str]) -> Manifest:
    """Return the manifest of a set that has no shards yet."""
    return Manifest(
        format=FORMAT,
        version=VERSION,
        seed=resolved.seed,
        experiment=resolved,
        versions=versions,
    )


def read(folder: Path, *, sealed: bool = True) -> Manifest:
    """Return the manifest in `folder`, with the shards in journals.

    Without `sealed`, its own checksum may be another.

    Raises
    ------
    DataError
        When there is none, or it is damaged or of another format or version.
    """
    path = folder / NAME
    where = str(path)
    if not folder.is_dir():
        raise DataError(
            "is not a data set folder" if folder.exists() else "folder not found",
            where=str(folder),
            hint="Give a folder that 'speckle generate' or 'speckle import' wrote.",
        )
    try:
        # The journal first: if its records move to the manifest meanwhile, they are read twice.
        largest = _largest(folder)
        added = list(read_journals(folder, largest=largest))
        data = read_json(path, largest=largest, sealed=sealed)
    except FileNotFoundError:
        raise DataError(
            f"contains no data set: {NAME} is missing",
            where=str(folder),
            hint="Give a folder that 'speckle generate' or 'speckle import' wrote.",
        ) from None
    except (OSError, ValueError) as error:
        raise DataError(f"cannot be read: {error}", where=where) from error
    if data.get("format") != FORMAT:
        raise DataError("is not the manifest of a speckle data set", where=where)
    if data.get("version") not in _READ or isinstance(data["version"], bool):
        raise DataError(
            f"is of version {data.get('version')!r}; this speckle-core reads 1 to {VERSION}",
            where=where,
        )
    try:
        shards = _records(data.pop("shards", []), where)
        manifest = structure(data, Manifest, where, longest=_MOST_LABELS)
        manifest = attrs.evolve(manifest, shards=shards)
        _check(manifest, shards, where)
        added_shards = _records(added, str(folder / JOURNAL))
        _check(manifest, added_shards, str(folder / JOURNAL))
    except ExperimentError as error:
        raise DataError(error.what, where=error.where or where, hint=error.hint) from error
    return manifest.with_shards(added_shards)


def _largest(folder: Path) -> int:
    """Return the largest size [bytes] of the manifest, or all journals, in `folder`."""
    if not (folder / NAME).is_file():
        return _LARGEST
    size = sum(path.stat().st_size for path in (folder / NAME, *list_journals(folder)))
    if size <= _LARGEST or not (folder / SHARDS).is_dir():
        return _LARGEST
    with os.scandir(folder / SHARDS) as entries:
        return _LARGEST + _LARGEST_RECORD * sum(1 for _ in entries)


def _records(data: Any, where: str) -> tuple[Record, ...]:
    """Return the records of shards; the usual converter takes a second for ten thousand of them."""
    if not isinstance(data, list):
        raise DataError("is not a list", where=f"{where}: shards")
    found = []
    for i, plain in enumerate(data):
        if not _is_record(plain):
            structure(plain if isinstance(plain, dict) else {}, Record, f"{where}: shards[{i}]")
            raise DataError("is not the record of a shard", where=f"{where}: shards[{i}]")
        found.append(Record(**plain | {"shape": tuple(plain["shape"])}))
    return tuple(found)


def _is_record(plain: Any) -> bool:
    return (
        isinstance(plain, dict)
        and plain.keys() == _KEYS
        and all(type(plain[key]) is int for key in ("bytes", "first", "count"))
        and type(plain["shape"]) is list
        and all(type(size) is int for size in plain["shape"])
        and isinstance(plain["name"], str)
        and isinstance(plain["sha256"], str)
        and _SHA256.fullmatch(plain["sha256"]) is not None
    )


def _check(manifest: Manifest, records: Iterable[Record], where: str) -> None:
    """Reject records that do not match the plan, so that every name stays inside the folder."""
    if manifest.experiment.grid.step is None:
        raise DataError("its experiment is not resolved: grid.step is missing", where=where)
    if manifest.version == 1 and manifest.experiment.storage.store != "whole":
        raise DataError("names a kind of storage that version 1 does not have", where=where)
    planned, shape = manifest.plan, manifest.grid.shape
    for record in records:
        number = record.first // planned.most
        shard = planned[number] if 0 <= number < len(planned) else None
        stated = (record.name, record.first, record.count, record.shape)
        if shard is None or stated != (shard.name, shard.first, shard.count, (shard.count, *shape)):
            raise DataError(
                f"lists {record.name!r} with {stated[1:]}, which is not a shard of this experiment",
                where=where,
            )
    if len(manifest.recorded) != len(manifest.shards):
        raise DataError("lists a shard twice", where=where)
    if manifest.master is not None and manifest.master.name != MASTER:
        raise DataError(f"names {manifest.master.name!r} as the master", where=where)

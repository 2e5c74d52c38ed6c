"""`manifest.json`: the experiment, the software versions, and the checksum of every shard.

The manifest alone decides whether a shard is complete.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import attrs

from speckle_core.contracts.grid import KGrid
from speckle_core.errors import DataError, ExperimentError
from speckle_core.experiment.experiment import Experiment, recipe_of
from speckle_core.experiment.schema import converter, structure
from speckle_core.notes import read_json, write_json

NAME = "manifest.json"
SHARDS = "shards"
MASTER = "patterns.h5"
FORMAT: Literal["speckle-dataset"] = "speckle-dataset"
VERSION = 1
#: Limits of one shard: number of patterns, and roughly their bytes.
PATTERNS = 256
BYTES = 72 * 2**20
# Limits for an untrusted manifest: this many patterns of 257 × 257 pixels are 2.6 TB.
_MOST = 10**7
_MOST_SHARDS = 10**5
_LARGEST = 2**25
#: Libraries whose version can change the bytes of a set.
LIBRARIES = ("numpy", "scipy", "h5py")


@attrs.frozen
class Shard:
    """A run of consecutive patterns, the unit of work: shard number, first pattern, count."""

    number: int
    first: int
    count: int

    @property
    def name(self) -> str:
        """Its file relative to the folder of the set, with a forward slash."""
        return f"{SHARDS}/{self.number:05d}.h5"


def plan(patterns: int, grid: KGrid) -> tuple[Shard, ...]:
    """Return the shards of a set of `patterns` patterns on `grid`; depends on nothing else.

    Raises
    ------
    ExperimentError
        For more than ten million patterns.
    """
    if patterns > _MOST:
        raise ExperimentError(
            f"{patterns} patterns are more than the limit of {_MOST}",
            where="structure.patterns_per_count",
        )
    most = max(1, min(PATTERNS, BYTES // (4 * grid.size**2)))
    if -(-patterns // most) > _MOST_SHARDS:
        raise ExperimentError(
            f"{patterns} patterns of {grid.size} × {grid.size} pixels are more than a set can hold",
            where="structure.patterns_per_count",
        )
    return tuple(
        Shard(number, first, min(most, patterns - first))
        for number, first in enumerate(range(0, patterns, most))
    )


@attrs.frozen(kw_only=True)
class Record:
    """One finished file: its name in the folder, its checksum, size and contents."""

    name: str
    sha256: str
    bytes: int
    shape: tuple[int, ...]
    first: int
    count: int


@attrs.frozen(kw_only=True)
class Manifest:
    """The content of ``manifest.json``.

    Parameters
    ----------
    format, version
        The kind of file, and the version of its layout.
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
    def plan(self) -> tuple[Shard, ...]:
        """Every shard of the complete set."""
        return plan(patterns_of(self.experiment), self.grid)

    @property
    def recorded(self) -> dict[str, Record]:
        """The records of the finished shards, by name."""
        return {record.name: record for record in self.shards}

    def with_shard(self, record: Record) -> Manifest:
        """Return the manifest with this shard added or replaced."""
        shards = self.recorded | {record.name: record}
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
        """Write it to `folder` atomically."""
        data = converter.unstructure(self) | {"experiment": self.experiment.to_dict()}
        write_json(folder / NAME, data)


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
    """Return the manifest in `folder`; without `sealed` even if its checksum is another.

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
            hint="Give the folder that 'speckle generate' wrote.",
        )
    try:
        data = read_json(path, largest=_LARGEST, sealed=sealed)
    except FileNotFoundError:
        raise DataError(
            f"contains no data set: {NAME} is missing",
            where=str(folder),
            hint="Give the folder that 'speckle generate' wrote.",
        ) from None
    except (OSError, ValueError) as error:
        raise DataError(f"cannot be read: {error}", where=where) from error
    if data.get("format") != FORMAT:
        raise DataError("is not the manifest of a speckle data set", where=where)
    if data.get("version") != VERSION:
        raise DataError(
            f"is of version {data.get('version')!r}; this speckle-core reads {VERSION}", where=where
        )
    try:
        manifest = structure(data, Manifest, where, longest=_MOST_SHARDS)
        _check(manifest, where)
    except ExperimentError as error:
        raise DataError(error.what, where=error.where or where, hint=error.hint) from error
    return manifest


def _check(manifest: Manifest, where: str) -> None:
    """Reject records that do not match the plan, so that every name stays inside the folder."""
    if manifest.experiment.grid.step is None:
        raise DataError("its experiment is not resolved: grid.step is missing", where=where)
    expected = {s.name: (s.first, s.count, (s.count, *manifest.grid.shape)) for s in manifest.plan}
    for record in manifest.shards:
        stated = (record.first, record.count, record.shape)
        if expected.get(record.name) != stated:
            raise DataError(
                f"lists {record.name!r} with {stated}, which is not a shard of this experiment",
                where=where,
            )
    if len(manifest.recorded) != len(manifest.shards):
        raise DataError("lists a shard twice", where=where)
    if manifest.master is not None and manifest.master.name != MASTER:
        raise DataError(f"names {manifest.master.name!r} as the master", where=where)

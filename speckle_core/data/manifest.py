"""What `manifest.json` says: the experiment, the software, and what every shard must be.

It is the one judge of whether a shard is whole. It knows nothing of HDF5 and writes no pattern.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import attrs

from speckle_core.contracts.grid import KGrid
from speckle_core.errors import DataError, ExperimentError
from speckle_core.experiment.experiment import Experiment
from speckle_core.experiment.schema import converter, structure
from speckle_core.files import write_text

NAME = "manifest.json"
SHARDS = "shards"
MASTER = "patterns.h5"
FORMAT: Literal["speckle-dataset"] = "speckle-dataset"
VERSION = 1
#: A shard holds at most so many patterns, and about so many bytes of them.
PATTERNS = 256
BYTES = 72 * 2**20
# What a stranger's manifest may ask for: at 257 × 257 pixels these are 2.6 TB.
_MOST = 10**7
_LARGEST = 2**28
#: Libraries whose version can change the bytes of a set.
LIBRARIES = ("numpy", "scipy", "h5py")
_DECIDE = ("seed", "structure", "grid", "scattering")


@attrs.frozen
class Shard:
    """Neighbouring patterns of a set, the unit of work: number, first pattern, how many."""

    number: int
    first: int
    count: int

    @property
    def name(self) -> str:
        """Its file, relative to the folder of the set, with a slash."""
        return f"{SHARDS}/{self.number:05d}.h5"


def plan(patterns: int, grid: KGrid) -> tuple[Shard, ...]:
    """Return the shards of a set of so many patterns on `grid`, a function of these alone.

    Raises
    ------
    ExperimentError
        For more than ten million patterns.
    """
    if patterns > _MOST:
        raise ExperimentError(
            f"{patterns} patterns are more than the {_MOST} that a set can hold",
            where="structure.patterns_per_count",
        )
    most = max(1, min(PATTERNS, BYTES // (4 * grid.size**2)))
    return tuple(
        Shard(number, first, min(most, patterns - first))
        for number, first in enumerate(range(0, patterns, most))
    )


@attrs.frozen(kw_only=True)
class Record:
    """One finished file: its name in the folder, and what it must be to count as undamaged."""

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
        What this file is, and the version of its layout.
    seed : int
        The experiment's, for readers who look for it here.
    experiment : Experiment
        Resolved: every default written out.
    versions : dict
        Of the software that began the set.
    shards : tuple of Record
        The shards that are there, in order.
    master : Record, optional
        The file that shows all shards as one, written when all are there.
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
        """What alone decides the patterns; as `Experiment.data_recipe`, and needs no plugin."""
        return recipe_of(self.experiment)

    @property
    def grid(self) -> KGrid:
        """The grid of the patterns; a resolved experiment states its step."""
        return self.experiment.kgrid()

    @property
    def plan(self) -> tuple[Shard, ...]:
        """Every shard that the whole set has."""
        return plan(patterns_of(self.experiment), self.grid)

    @property
    def recorded(self) -> dict[str, Record]:
        """The records of the shards that are there, by name."""
        return {record.name: record for record in self.shards}

    def with_shard(self, record: Record) -> Manifest:
        """Return the manifest with one more shard, or another record of it."""
        shards = self.recorded | {record.name: record}
        return attrs.evolve(self, shards=tuple(sorted(shards.values(), key=lambda r: r.first)))

    def also_made_with(self, versions: dict[str, str]) -> Manifest:
        """Return the manifest with these versions too, where they differ from those it has."""
        joined = dict(self.versions)
        for name, version in versions.items():
            known = joined.get(name)
            if known is None:
                joined[name] = version
            elif version not in known.split(", "):
                joined[name] = f"{known}, {version}"
        return attrs.evolve(self, versions=joined)

    def write(self, folder: Path) -> None:
        """Write it into `folder`, whole or not at all."""
        data = converter.unstructure(self) | {"experiment": self.experiment.to_dict()}
        write_text(folder / NAME, json.dumps(data, indent=1, allow_nan=False) + "\n")


def patterns_of(experiment: Experiment) -> int:
    """Return the number of patterns of an experiment, without an array of them."""
    return len(experiment.counts) * experiment.structure.patterns_per_count


def recipe_of(resolved: Experiment) -> dict[str, Any]:
    """Return the keys of a resolved experiment that alone decide the patterns."""
    data = resolved.to_dict()
    return {key: data[key] for key in _DECIDE}


def begin(resolved: Experiment, versions: dict[str, str]) -> Manifest:
    """Return the manifest of a set without any shard yet."""
    return Manifest(
        format=FORMAT,
        version=VERSION,
        seed=resolved.seed,
        experiment=resolved,
        versions=versions,
    )


def read(folder: Path) -> Manifest:
    """Return the manifest in `folder`.

    Raises
    ------
    DataError
        When there is none, or it is damaged, foreign, or of another version.
    """
    path = folder / NAME
    where = str(path)
    if not folder.is_dir():
        raise DataError(
            "is not the folder of a data set" if folder.exists() else "there is no such folder",
            where=str(folder),
            hint="Give the folder that 'speckle generate' wrote.",
        )
    try:
        if path.stat().st_size > _LARGEST:
            raise DataError("is far too large for a manifest", where=where)
        data = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise DataError(
            f"holds no data set: {NAME} is missing",
            where=str(folder),
            hint="Give the folder that 'speckle generate' wrote.",
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"cannot be read: {error}", where=where) from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise DataError("is not the manifest of a speckle data set", where=where)
    if data.get("version") != VERSION:
        raise DataError(
            f"is of version {data.get('version')!r}; this speckle-core reads {VERSION}", where=where
        )
    try:
        manifest = structure(data, Manifest, where)
        _check(manifest, where)
    except ExperimentError as error:
        raise DataError(error.what, where=error.where or where, hint=error.hint) from error
    return manifest


def _check(manifest: Manifest, where: str) -> None:
    """Refuse records that do not fit the plan; names are then known to stay in the folder."""
    if manifest.experiment.grid.step is None:
        raise DataError("its experiment is not resolved: grid.step is missing", where=where)
    expected = {s.name: (s.first, s.count, (s.count, *manifest.grid.shape)) for s in manifest.plan}
    for record in manifest.shards:
        stated = (record.first, record.count, record.shape)
        if expected.get(record.name) != stated:
            raise DataError(
                f"lists {record.name!r} with {stated}, which is no shard of this experiment",
                where=where,
            )
    if len(manifest.recorded) != len(manifest.shards):
        raise DataError("lists a shard twice", where=where)
    if manifest.master is not None and manifest.master.name != MASTER:
        raise DataError(f"names {manifest.master.name!r} as the master", where=where)

"""A plugin whose shapes the core has never seen, as files, so that worker processes find it too."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import h5py

from speckle_core.data.manifest import NAME
from speckle_core.experiment.experiment import Experiment
from speckle_core.notes import read_json, write_json

PLUGIN = '''
import time

import attrs
import numpy as np

from speckle_core import Component, Configuration, hookimpl


@attrs.frozen(eq=False, kw_only=True)
class Bricks:
    """Rectangles; `profile` has no row per body, `density_of` no rows at all."""

    centers: np.ndarray
    sides: np.ndarray = attrs.field(metadata={"units": "cubit"})
    profile: np.ndarray
    density_of: float = 2.5
    note: str = "not an array"

    bounding_radii = property(lambda self: np.hypot(*self.sides.T) / 2)
    contrast = property(lambda self: np.full(len(self), 1 + 0.5j))

    def __len__(self):
        return len(self.sides)

    def form_factors(self, kx, ky):
        a, b = self.sides.T.reshape(2, -1, *(1,) * np.ndim(kx))
        return a * b * np.sinc(kx * a / 2 / np.pi) * np.sinc(ky * b / 2 / np.pi)

    def density(self, i, x, y):
        dx, dy = abs(x - self.centers[i, 0]), abs(y - self.centers[i, 1])
        return 1.0 * ((dx <= self.sides[i, 0] / 2) & (dy <= self.sides[i, 1] / 2))


class Points:
    """No attrs class: only what the protocol demands."""

    def __init__(self, centers):
        self.centers = centers
        self.bounding_radii = np.zeros(len(centers))
        self.contrast = np.ones(len(centers))

    def __len__(self):
        return len(self.centers)

    def form_factors(self, kx, ky):
        return np.ones((len(self), *np.shape(kx)))

    def density(self, i, x, y):
        return np.zeros_like(x)


@attrs.frozen(kw_only=True)
class Masonry:
    box: float = 100.0
    points: bool = False

    def sample(self, count, rng):
        if count > 90:
            from speckle_core import PackingError
            raise PackingError(f"{count} bricks do not fit")
        bricks = Bricks(
            centers=rng.random((count, 2)) * self.box,
            sides=1 + rng.random((count, 2)),
            profile=rng.random(3),
        )
        if not self.points:
            return Configuration(bricks, self.box)
        last = Bricks(centers=bricks.centers[1:], sides=bricks.sides[1:], profile=bricks.profile)
        return Configuration((last, Points(bricks.centers[:1])), self.box)


@attrs.frozen(kw_only=True)
class Sum:
    sleep: float = 0.0
    fail_at: int = 0

    def amplitude(self, configuration, grid):
        time.sleep(self.sleep)
        if self.fail_at and len(configuration) == self.fail_at:
            from speckle_core import PackingError
            raise PackingError("no pattern of this one")
        kx, ky = np.meshgrid(grid.axis, grid.axis)
        total = np.zeros(grid.shape, complex)
        for particles in configuration.particles:
            x, y = particles.centers.T.reshape(2, -1, 1, 1)
            waves = np.exp(-1j * (kx * x + ky * y)) * particles.form_factors(kx, ky)
            total += (particles.contrast.reshape(-1, 1, 1) * waves).sum(axis=0)
        return total

    def intensity(self, configuration, grid):
        amplitude = self.amplitude(configuration, grid)
        return amplitude.real**2 + amplitude.imag**2


@attrs.frozen(kw_only=True)
class Guess:
    """A classifier, since an experiment names one."""


@hookimpl
def speckle_samplers():
    return [Component("masonry", Masonry, "Bricks anywhere.")]


@hookimpl
def speckle_scatterers():
    return [Component("sum", Sum, "Exact sum of form factors.")]


@hookimpl
def speckle_classifiers():
    return [Component("guess", Guess, "Guesses.")]
'''


def experiment(
    *, each: int = 200, size: int = 9, seed: int = 3, counts: Any = (2, 4), **changes: Any
) -> Experiment:
    """Return an experiment of three classes; 600 patterns, so three shards, unless told."""
    data: dict[str, Any] = {
        "name": "bricks",
        "seed": seed,
        "structure": {
            "counts": list(counts),
            "patterns_per_count": each,
            "sampler": {"name": "masonry", **changes.pop("sampler", {})},
        },
        "grid": {"size": size},
        "scattering": {"scatterer": {"name": "sum", **changes.pop("scatterer", {})}},
        "classifier": "guess",
    }
    return Experiment.from_dict(data | changes)


def hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every shard in a set's folder, by name."""
    return {p.name: _sha(p) for p in sorted((folder / "shards").glob("*.h5"))}


def _sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def vouch(folder: Path, name: str) -> None:
    """Make the manifest agree with what a file is now, as a hostile one would."""
    manifest = read_json(folder / NAME)
    for record in manifest["shards"]:
        if record["name"] == name:
            path = folder / name
            record.update(sha256=_sha(path), bytes=path.stat().st_size)
    write_json(folder / NAME, manifest)


def replace_data(shard: Path, make: Any) -> None:
    """Replace the patterns in a shard by what `make(group)` puts under the name ``data``."""
    with h5py.File(shard, "r+") as file:
        home = file["entry_1/data_1"]
        del home["data"]
        make(home)

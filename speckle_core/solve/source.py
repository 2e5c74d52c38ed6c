"""Where patterns to solve come from: a data set, which may know the true bodies, or a file."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Protocol

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core.analysis.beamstop import hidden_pixels
from speckle_core.contracts.arrays import FloatArray
from speckle_core.contracts.geometry import Configuration
from speckle_core.contracts.grid import KGrid
from speckle_core.data.dataset import Dataset
from speckle_core.data.foreign_files import read_patterns
from speckle_core.errors import DataError, PatternError, PluginError
from speckle_core.experiment.experiment import SIMULATION, Experiment
from speckle_core.experiment.pipeline import Pipeline
from speckle_core.models.folder import fingerprint


@attrs.frozen(eq=False)
class Subject:
    """One pattern to solve.

    Parameters
    ----------
    index : int
        Its number in the source.
    pattern : array, (ny, nx)
        As recorded.
    grid : KGrid
        Its grid.
    mask : array of bool, (ny, nx), optional
        True where a pixel counts.
    label : int, optional
        The true number of bodies.
    truth : Configuration, optional
        The true bodies.
    where : str
        The source and the number, for messages.
    """

    index: int
    pattern: FloatArray
    grid: KGrid
    mask: NDArray[np.bool_] | None = None
    label: int | None = None
    truth: Configuration | None = None
    where: str = ""


class Source(Protocol):
    """Patterns by number, and what they are."""

    def __len__(self) -> int:
        """Return the number of patterns."""
        ...

    def read(self, index: int) -> Subject:
        """Return one pattern with all that is known of it."""
        ...

    def recipe(self) -> dict[str, Any]:
        """Return plain values that tell this source from another."""
        ...


@attrs.frozen(eq=False)
class FileSource:
    """The patterns of a file, on a grid that somebody named."""

    name: str
    patterns: FloatArray
    grid: KGrid
    mask: NDArray[np.bool_] | None = None

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        dataset: str | None = None,
        like: Experiment | None = None,
        step: float | None = None,
        mask: NDArray[np.bool_] | None = None,
    ) -> FileSource:
        """Return the patterns of `path` on the grid of `like`, or with `step` [1/length].

        Raises
        ------
        DataError
            When the file cannot be read, or nothing says what its pixels are in k.
        """
        patterns, where = read_patterns(path, dataset=dataset)
        return cls(path.name, patterns, grid_of(patterns, where, like, step), mask)

    def __len__(self) -> int:
        """Return the number of patterns."""
        return len(self.patterns)

    def read(self, index: int) -> Subject:
        """Return one pattern; nothing is known of its bodies."""
        where = self.name if len(self) == 1 else f"{self.name}, pattern {index}"
        return Subject(index, self.patterns[index], self.grid, self.mask, where=where)

    def recipe(self) -> dict[str, Any]:
        """Return file name, SHA-256 of the patterns and of the mask, and grid."""
        return {
            "file": self.name,
            "patterns": _sha256(self.patterns),
            "mask": _sha256(self.mask),
            "grid": attrs.asdict(self.grid),
        }


@attrs.frozen(eq=False)
class DatasetSource:
    """The patterns of a data set as recorded, with the bodies they were simulated from.

    Pixels that the experiment's preparation hides, such as those behind a beamstop, do not count.
    """

    name: str
    dataset: Dataset
    mask: NDArray[np.bool_]
    simulation: Pipeline | None

    @classmethod
    def open(cls, folder: Path, *, mask: NDArray[np.bool_] | None = None) -> DatasetSource:
        """Return the patterns of the data set in `folder`."""
        dataset = Dataset.open(folder)
        return cls.of(dataset, mask=mask)

    @classmethod
    def of(cls, dataset: Dataset, *, mask: NDArray[np.bool_] | None = None) -> DatasetSource:
        """Return the patterns of a data set that is open already."""
        steps = dataset.experiment.build(only=("prepare",)).prepare
        seen = ~hidden_pixels(steps, dataset.grid)
        try:
            simulation = dataset.experiment.build(only=SIMULATION)
        except PluginError:
            # It can be read without the plugin that made it; then the bodies are not known.
            simulation = None
        return cls(dataset.folder.name, dataset, seen if mask is None else seen & mask, simulation)

    def __len__(self) -> int:
        """Return the number of patterns."""
        return len(self.dataset)

    def read(self, index: int) -> Subject:
        """Return one pattern with its label and bodies."""
        (pattern,) = self.dataset.patterns().raw([index])
        experiment, label = self.dataset.experiment, int(self.dataset.labels[index])
        truth = None
        if self.simulation is not None:
            number = index % experiment.structure.patterns_per_count
            truth = self.simulation.draw(label, number, experiment.seed)
        where = f"{self.name}, pattern {index}"
        return Subject(index, pattern, self.dataset.grid, self.mask, label, truth, where)

    def recipe(self) -> dict[str, Any]:
        """Return fingerprints of what made the patterns, and of the mask."""
        made = fingerprint(self.dataset.experiment.data_recipe())
        return {"data": made, "mask": _sha256(self.mask)}


def grid_of(patterns: FloatArray, where: str, like: Experiment | None, step: float | None) -> KGrid:
    """Return the grid that `patterns` (B, ny, nx) lie on.

    Raises
    ------
    DataError
        When neither `like` nor `step` is given, or the patterns do not lie on that grid.
    """
    height, width = patterns.shape[1:]
    if like is not None:
        grid = like.kgrid()
        if (height, width) != grid.shape:
            raise PatternError(
                f"holds patterns of {height} × {width} pixels; the grid of {like.name} has "
                f"{grid.size} × {grid.size}",
                where=where,
                hint="Name the experiment they lie on, or give the distance of pixels with --step.",
            )
        return grid
    if step is None:
        raise DataError(
            "does not say how far its pixels lie apart in k",
            where=where,
            hint="Add --like EXPERIMENT, a preset or TOML file whose grid it lies on, or --step K "
            "in 1/length: π / side of the box, such as --step 0.00157.",
        )
    if height != width or width % 2 == 0:
        raise PatternError(
            f"patterns of {height} × {width} pixels have no middle pixel for k = 0",
            where=where,
            hint="Crop them to a square about k = 0 with an odd number of pixels a side.",
        )
    return KGrid.centered(width, step)


def read_mask(path: Path) -> NDArray[np.bool_]:
    """Return the pixels that count, (ny, nx), of a mask file, as pyFAI has it: non-zero is bad.

    Raises
    ------
    DataError
        When it cannot be read, or holds more than one mask.
    """
    if path.suffix == ".npy" and path.is_file():
        with path.open("rb") as file:
            if file.read(6) == b"\x93NUMPY":
                values = np.lib.format.open_memmap(path, mode="r")
                if values.dtype == np.bool_ and values.ndim == 2:
                    return ~np.asarray(values)
    masks, where = read_patterns(path)
    if len(masks) != 1:
        raise DataError(f"holds {len(masks)} arrays, not one mask", where=where)
    return np.asarray(masks[0] == 0)


def _sha256(array: NDArray[Any] | None) -> str | None:
    if array is None:
        return None
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()

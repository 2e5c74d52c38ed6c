"""Sources of patterns to solve: a data set, which may include the true bodies, or a file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
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
from speckle_core.data.frame_options import FrameOptions
from speckle_core.data.measured import Measured, own_grid
from speckle_core.errors import DataError, PatternError, PluginError, SpeckleError
from speckle_core.experiment.components import SIMULATION
from speckle_core.experiment.experiment import Experiment
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
        Raw.
    grid : KGrid
        Its grid.
    mask : array of bool, (ny, nx), optional
        True for valid pixels.
    label : int, optional
        The true number of bodies.
    truth : Configuration, optional
        The true bodies.
    where : str
        Source and index, for error messages.
    """

    index: int
    pattern: FloatArray
    grid: KGrid
    mask: NDArray[np.bool_] | None = None
    label: int | None = None
    truth: Configuration | None = None
    where: str = ""


class Source(Protocol):
    """Patterns by index."""

    @property
    def box(self) -> float | None:
        """Side of the box that contains the bodies [length], if known."""
        ...

    def __len__(self) -> int:
        """Return the number of patterns."""
        ...

    def read(self, index: int) -> Subject:
        """Return one pattern with all that is known about it."""
        ...

    def recipe(self) -> dict[str, Any]:
        """Return plain values that identify this source."""
        ...


@attrs.frozen(eq=False)
class FileSource:
    """The patterns of a file, on a given grid."""

    name: str
    patterns: FloatArray
    grid: KGrid
    mask: NDArray[np.bool_] | None = None
    errors: Mapping[int, SpeckleError] = attrs.field(factory=dict)
    remarks: tuple[str, ...] = ()
    box: float | None = None

    @classmethod
    def open(
        cls, path: Path, options: FrameOptions | None = None, *, like: Experiment | None = None
    ) -> FileSource:
        """Return the frames of `path` on the grid of `like`, or on their own.

        Pixels that are invalid or outside the frame are masked.

        Raises
        ------
        DataError
            When the file cannot be read, or the k step of its pixels is unknown.
        """
        measured = Measured(path, options)
        if like is not None:
            grid = like.kgrid()
        else:
            grid, known = own_grid(measured)
            if not known:
                raise DataError(
                    "does not state the k step of its pixels",
                    where=measured.frames.source,
                    hint="Add --like EXPERIMENT, a preset or TOML file with the same grid, or "
                    "--step K in 1/length: π / side of the box, such as --step 0.00157.",
                )
        patterns = np.zeros((len(measured), *grid.shape))
        mask, errors = np.zeros(patterns.shape, dtype=bool), {}
        for index in range(len(measured)):
            try:
                found, _ = measured.on_grid(index, grid)
            except SpeckleError as error:
                errors[index] = PatternError(error.what, where=str(path), hint=error.hint)
                continue
            patterns[index], mask[index] = found.pattern, found.valid
        if len(errors) == len(measured) == 1:
            raise errors[0]
        remarks = tuple(measured.remarks)
        box = None if like is None else box_of(like)
        return cls(path.name, patterns, grid, mask, errors, remarks, box)

    def __len__(self) -> int:
        """Return the number of patterns."""
        return len(self.patterns)

    def read(self, index: int) -> Subject:
        """Return one pattern; its bodies are unknown."""
        if index in self.errors:
            raise self.errors[index]
        where = self.name if len(self) == 1 else f"{self.name}, pattern {index}"
        mask = self.mask[index] if self.mask is not None and self.mask.ndim == 3 else self.mask
        return Subject(index, self.patterns[index], self.grid, mask, where=where)

    def recipe(self) -> dict[str, Any]:
        """Return file name, grid, and SHA-256 of patterns and mask."""
        return {
            "file": self.name,
            "patterns": _sha256(self.patterns),
            "mask": _sha256(self.mask),
            "grid": attrs.asdict(self.grid),
        }


@attrs.frozen(eq=False)
class DatasetSource:
    """The raw patterns of a data set, with the bodies they were simulated from.

    Pixels hidden by the experiment's preparation, such as those behind a beamstop, are masked.
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
        """Return the patterns of an open data set."""
        steps = dataset.experiment.build(only=("prepare",)).prepare
        seen = ~hidden_pixels(steps, dataset.grid)
        simulation: Pipeline | None = None
        try:
            if dataset.experiment.imported is None:
                simulation = dataset.experiment.build(only=SIMULATION)
        except PluginError:
            # A set can be read without the plugin that made it, but then its bodies are unknown.
            pass
        return cls(dataset.folder.name, dataset, seen if mask is None else seen & mask, simulation)

    @property
    def box(self) -> float | None:
        """Side of the sampler's box [length]."""
        return box_of(self.dataset.experiment)

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
        where, mask = f"{self.name}, pattern {index}", self.mask
        if (valid := self.dataset.patterns().valid([index])) is not None:
            mask = mask & valid[0]
        return Subject(index, pattern, self.dataset.grid, mask, label, truth, where)

    def recipe(self) -> dict[str, Any]:
        """Return hashes of the data recipe and of the mask."""
        made = fingerprint(self.dataset.experiment.data_recipe())
        return {"data": made, "mask": _sha256(self.mask)}


def box_of(experiment: Experiment) -> float | None:
    """Return the side of the box of an experiment's sampler [length], if it has one."""
    if experiment.imported is not None:
        return None
    try:
        return getattr(experiment.build(only=("structure",)).sampler, "box", None)
    except PluginError:
        return None


def _sha256(array: NDArray[Any] | None) -> str | None:
    if array is None:
        return None
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()

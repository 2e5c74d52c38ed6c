"""The sections of an experiment file that describe the simulation, with their checks.

The section of `Split` is in split.py.
"""

from __future__ import annotations

from typing import Literal

import attrs

from speckle_core.analysis.quantities import QuantityName
from speckle_core.errors import ExperimentError
from speckle_core.experiment.schema import Choice

_MOST_CLASSES = 10_000
_MOST_PATTERNS = 10**12
_LARGEST_GRID = 2**15


def _some(numbers: tuple[int, ...]) -> str:
    return f"{list(numbers[:20])}"[:-1] + (", …]" if len(numbers) > 20 else "]")


@attrs.frozen(kw_only=True)
class Structure:
    """The content of the boxes.

    Parameters
    ----------
    counts : tuple of int
        The classes: two numbers are the first and last of a range; any other list is taken as it
        is.
    count_step : int
        Step of that range.
    patterns_per_count : int
        Patterns of each class.
    sampler : Choice
        The sampler that draws the configurations.
    fresh : bool
        Simulate new training patterns in every epoch, and store none of them. The set then has
        validation and test patterns only, and ``split.train`` is the number of an epoch.
    """

    counts: tuple[int, ...] = (2, 20)
    count_step: int = 1
    patterns_per_count: int = 1000
    sampler: Choice = Choice("monodisperse")
    fresh: bool = False

    def __attrs_post_init__(self) -> None:
        for name, smallest in (("count_step", 1), ("patterns_per_count", 1)):
            if getattr(self, name) < smallest:
                raise ExperimentError(f"must be at least {smallest}", where=f"structure.{name}")
        if len(self.counts) == 2 and self.counts[1] - self.counts[0] >= _MOST_CLASSES:
            raise ExperimentError(
                f"{list(self.counts)} are more than {_MOST_CLASSES} classes",
                where="structure.counts",
            )
        if len(self.counts) > _MOST_CLASSES:
            raise ExperimentError(
                f"{len(self.counts)} are more than {_MOST_CLASSES} classes",
                where="structure.counts",
            )
        values = self.values
        if len(values) < 2 or min(values) < 1 or len(set(values)) < len(values):
            raise ExperimentError(
                f"{_some(self.counts)} gives the classes {_some(values)}; at least two different "
                "numbers, each at least 1, are needed",
                where="structure.counts",
                hint="Write [2, 20] for every number from 2 to 20, or list them.",
            )
        if len(values) * self.patterns_per_count > _MOST_PATTERNS:
            raise ExperimentError(
                f"{len(values)} classes of {self.patterns_per_count} patterns are more than the "
                f"{_MOST_PATTERNS} patterns that a set can hold",
                where="structure.patterns_per_count",
            )

    @property
    def values(self) -> tuple[int, ...]:
        """The classes, ascending."""
        if len(self.counts) == 2:
            return tuple(range(self.counts[0], self.counts[1] + 1, self.count_step))
        return tuple(sorted(self.counts))


@attrs.frozen(kw_only=True)
class Grid:
    """The k grid of the patterns; `step` [1/length] is π / box by default."""

    layout: Literal["centered", "quadrant"] = "centered"
    size: int = 257
    step: float | None = None

    def __attrs_post_init__(self) -> None:
        if self.size > _LARGEST_GRID:
            raise ExperimentError(
                f"{self.size} pixels a side are more than {_LARGEST_GRID}", where="grid.size"
            )


@attrs.frozen(kw_only=True)
class Storage:
    """How the patterns of a data set are stored; they read the same.

    Parameters
    ----------
    store : {"whole", "half", "recipe"}
        ``whole``: every pixel. ``half``: the rows with ky ≥ 0, which is exact for a real contrast,
        since I(-k) = I(k). ``recipe``: particles and seed only; patterns are computed again
        whenever they are read.
    """

    store: Literal["whole", "half", "recipe"] = "whole"


@attrs.frozen(kw_only=True)
class Imported:
    """Measured patterns in place of simulated ones; written by ``speckle import``.

    Parameters
    ----------
    labels : tuple of int
        The class of each pattern.
    files : tuple of str
        Names of the files that the patterns were read from, in order.
    sha256 : tuple of str
        The SHA-256 of each file.
    frames : tuple of int
        How many patterns each file gave.
    options : tuple of str
        What was said of the frames, as ``name=value``.
    step_known : bool
        Whether the k step was stated; otherwise ``grid.step`` is in pixels.
    """

    labels: tuple[int, ...]
    files: tuple[str, ...]
    sha256: tuple[str, ...]
    frames: tuple[int, ...]
    options: tuple[str, ...] = ()
    step_known: bool = True

    def __attrs_post_init__(self) -> None:
        if not (len(self.files) == len(self.sha256) == len(self.frames)) or sum(self.frames) != len(
            self.labels
        ):
            raise ExperimentError("its lists do not fit one another", where="imported")
        if min(self.labels, default=0) < 1 or len(set(self.labels)) < 2:
            raise ExperimentError(
                "two or more different labels of at least 1 are needed", where="imported.labels"
            )


@attrs.frozen(kw_only=True)
class Target:
    """What is learned in place of the number of particles as a class: a value, by regression.

    Parameters
    ----------
    quantity : {"count", "mean-radius", "radius-spread", "coverage"}
        ``count``: the number of particles, as a number that may lie outside of the training range.
        ``mean-radius`` and ``radius-spread``: mean and standard deviation of the radii of a pattern
        [length]. ``coverage``: share of the box that the bodies cover.
    interval : float
        Stated coverage of the intervals, learned from the validation part.
    """

    quantity: QuantityName
    interval: float = 0.9

    def __attrs_post_init__(self) -> None:
        if not 0.5 <= self.interval < 1:
            raise ExperimentError(
                f"must be at least 0.5 and below 1, not {self.interval:g}", where="target.interval"
            )


@attrs.frozen(kw_only=True)
class Scattering:
    """How patterns are computed."""

    scatterer: Choice = Choice("analytic")

"""Checks of detectors: a record of the grid, made of the intensity and the given noise alone."""

# ruff: noqa: D401 - a check's docstring is its requirement, shown to users

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from speckle_core.contracts.grid import KGrid
from speckle_core.testing.check import Check, Subject, require
from speckle_core.testing.specimens import GRID, intensities

_GRIDS = (GRID, KGrid.quadrant(20, 0.003))


def _intensity(grid: KGrid) -> NDArray[np.float64]:
    return np.asarray(intensities(np.array([4]), 1, grid)[0], dtype=np.float64)


def _record(detector: Any, grid: KGrid, seed: int = 0) -> tuple[Any, Any]:
    found = detector.record(_intensity(grid), grid, np.random.default_rng(seed))
    pair = isinstance(found, tuple) and len(found) == 2
    require(pair, f"it returned {type(found).__name__}, not a tuple of counts and mask")
    return found[0], found[1]


def records_the_grid(subject: Subject) -> None:
    """Counts are real numbers and the mask bool, both of the grid's shape."""
    for grid in _GRIDS:
        for name, array in zip(("counts", "mask"), _record(subject.make(), grid), strict=True):
            require(isinstance(array, np.ndarray), f"{name}: {type(array).__name__}, not an array")
            require(array.shape == grid.shape, f"{name} of {array.shape} on a grid {grid.shape}")
            kinds = "fiu" if name == "counts" else "b"
            require(array.dtype.kind in kinds, f"{name} are {array.dtype}")


def finite_where_a_pixel_counts(subject: Subject) -> None:
    """No pixel that counts holds NaN or infinity."""
    for grid in _GRIDS:
        counts, mask = _record(subject.make(), grid)
        require(np.isfinite(counts[mask]).all(), "a pixel that counts is NaN or infinite")


def some_pixels_count(subject: Subject) -> None:
    """At least half of the pixels count."""
    for grid in _GRIDS:
        _, mask = _record(subject.make(), grid)
        share = float(np.mean(mask))
        require(share >= 0.5, f"only {share:.0%} of the pixels count: True means that one does")


def deterministic(subject: Subject) -> None:
    """The same generator gives the same record, again and from a new detector."""
    detector = subject.make()
    first = _record(detector, GRID)
    for other in (detector, subject.make()):
        again = _record(other, GRID)
        same = all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
        require(same, "a second call gave another record", "Draw from the given rng only.")


def input_unchanged(subject: Subject) -> None:
    """The intensity is left unchanged, and a write to the counts does not reach it."""
    intensity = _intensity(GRID)
    before = intensity.copy()
    counts, _ = subject.make().record(intensity, GRID, np.random.default_rng(0))
    require(np.array_equal(intensity, before), "the intensity has changed")
    require(not np.shares_memory(counts, intensity), "the counts are a view of the intensity")


CHECKS = (
    Check("detector.records-the-grid", records_the_grid),
    Check("detector.finite-where-a-pixel-counts", finite_where_a_pixel_counts),
    Check("detector.some-pixels-count", some_pixels_count),
    Check("detector.deterministic", deterministic),
    Check("detector.input-unchanged", input_unchanged),
)

"""Patterns with labels as a classifier is given them: in memory or on disk, one face.

A `PatternSet` reads lazily and hands out prepared float32 batches; where they come from is a
function that it was given. It must not know of files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from speckle_core.contracts.arrays import FloatArray, IntArray
from speckle_core.contracts.grid import KGrid
from speckle_core.errors import DataError, PatternError

Read = Callable[[IntArray], NDArray[np.float32]]
OnBatch = Callable[[int], None]
#: A preparation step, ``step(patterns (B, ny, nx), grid) -> (B, ny, nx)``: any `Preprocessor`.
Step = Callable[[FloatArray, KGrid], FloatArray]


def prepare(
    patterns: FloatArray, grid: KGrid, steps: Sequence[Step], *, where: str = "patterns"
) -> NDArray[np.float32]:
    """Check raw patterns and run them through `steps`; float32 (B, ny, nx).

    Raises
    ------
    PatternError
        For a shape other than the grid's, NaN or infinity before or after a step.
    """
    if patterns.ndim != 3 or patterns.shape[1:] != grid.shape:
        raise PatternError(
            f"patterns of shape {patterns.shape} on a grid of {grid.size} × {grid.size} pixels",
            where=where,
        )
    if not np.isfinite(patterns).all():
        bad = int(np.flatnonzero(~np.isfinite(patterns).all(axis=(1, 2)))[0])
        raise PatternError(
            f"pattern {bad} holds NaN or infinity",
            where=where,
            hint="Mask or replace dead pixels before you go on.",
        )
    for step in steps:
        patterns = step(patterns, grid)
        if not np.isfinite(patterns).all():
            raise PatternError(
                f"{type(step).__name__} made NaN or infinity of finite patterns", where=where
            )
    return np.ascontiguousarray(patterns, dtype=np.float32)


class PatternSet:
    """Patterns, their labels and the grid they lie on.

    Parameters
    ----------
    read : callable
        ``read(indices) -> float32 (B, ny, nx)``, raw patterns in the order asked for.
    labels : array of int, (N,)
        The class of each pattern: its number of particles.
    grid : KGrid
        The grid of the patterns.
    classes : array of int, optional
        All classes, ascending; by default the distinct labels.
    steps : sequence of Preprocessor, optional
        What `batch` runs the raw patterns through.
    on_batch : callable, optional
        Told the number of patterns handed out by each `batch`, for progress.

    Raises
    ------
    DataError
        When a label is not among the classes.
    """

    def __init__(
        self,
        read: Read,
        labels: ArrayLike,
        grid: KGrid,
        *,
        classes: ArrayLike | None = None,
        steps: Sequence[Step] = (),
        on_batch: OnBatch | None = None,
    ) -> None:
        self._read = read
        self.labels: IntArray = np.asarray(labels, dtype=np.int64)
        self.grid = grid
        self.classes: IntArray = np.unique(self.labels if classes is None else np.asarray(classes))
        self.steps = tuple(steps)
        self._on_batch = on_batch
        strangers = np.setdiff1d(self.labels, self.classes)
        if strangers.size:
            raise DataError(
                f"labels {strangers[:5].tolist()} are not among the classes "
                f"{self.classes.min()}…{self.classes.max()}",
                where="labels",
            )

    @classmethod
    def from_arrays(
        cls,
        patterns: FloatArray,
        labels: ArrayLike,
        grid: KGrid,
        *,
        classes: ArrayLike | None = None,
        steps: Sequence[Step] = (),
    ) -> PatternSet:
        """Return a set over raw `patterns` (N, ny, nx) in memory."""
        labels = np.asarray(labels)
        if len(patterns) != len(labels):
            raise DataError(f"{len(patterns)} patterns but {len(labels)} labels")

        def read(indices: IntArray) -> NDArray[np.float32]:
            return np.asarray(patterns[indices], dtype=np.float32)

        return cls(read, labels, grid, classes=classes, steps=steps)

    def __len__(self) -> int:
        """Return the number of patterns."""
        return len(self.labels)

    @property
    def targets(self) -> IntArray:
        """The column of each label in `classes`, (N,)."""
        return np.searchsorted(self.classes, self.labels)

    def raw(self, indices: ArrayLike) -> NDArray[np.float32]:
        """Return the patterns at `indices` as recorded, float32 (B, ny, nx)."""
        return self._read(np.atleast_1d(np.asarray(indices, dtype=np.int64)))

    def batch(self, indices: ArrayLike) -> tuple[NDArray[np.float32], IntArray]:
        """Return the prepared patterns at `indices`, float32 (B, ny, nx), and their labels (B,)."""
        where = np.atleast_1d(np.asarray(indices, dtype=np.int64))
        patterns = prepare(self._read(where), self.grid, self.steps)
        if self._on_batch is not None:
            self._on_batch(len(where))
        return patterns, self.labels[where]

    def batches(self, size: int) -> Iterator[tuple[NDArray[np.float32], IntArray]]:
        """Iterate over `(patterns, labels)` in order, `size` at a time."""
        for start in range(0, len(self), size):
            yield self.batch(np.arange(start, min(start + size, len(self))))

    def _like(self, read: Read, labels: IntArray, **changes: Any) -> PatternSet:
        settings: dict[str, Any] = {
            "classes": self.classes,
            "steps": self.steps,
            "on_batch": self._on_batch,
        }
        return PatternSet(read, labels, self.grid, **(settings | changes))

    def subset(self, indices: ArrayLike) -> PatternSet:
        """Return the set of the patterns at `indices`, in that order, read as lazily."""
        chosen = np.asarray(indices, dtype=np.int64)
        return self._like(lambda where: self._read(chosen[where]), self.labels[chosen])

    def prepared_with(self, steps: Sequence[Step]) -> PatternSet:
        """Return the same patterns, prepared by `steps` instead."""
        return self._like(self._read, self.labels, steps=tuple(steps))

    def kept(self) -> PatternSet:
        """Return the same patterns, prepared when first asked for and from then on kept in memory.

        Four bytes a pixel: 4 GB for 15200 patterns of 257 × 257. Raw patterns are not kept, so that
        the new set's `raw` are the prepared ones, and its `steps` none.
        """
        values = np.empty((len(self), *self.grid.shape), dtype=np.float32)
        there = np.zeros(len(self), dtype=bool)

        def read(indices: IntArray) -> NDArray[np.float32]:
            missing = np.unique(indices[~there[indices]])
            if missing.size:
                values[missing] = prepare(self._read(missing), self.grid, self.steps)
                there[missing] = True
            return values[indices]

        return self._like(read, self.labels, steps=())

    def watched(self, on_batch: OnBatch) -> PatternSet:
        """Return the same patterns; `on_batch` hears of every batch handed out."""
        return self._like(self._read, self.labels, on_batch=on_batch)

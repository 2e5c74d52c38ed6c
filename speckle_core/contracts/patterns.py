"""Labelled patterns as a classifier receives them, the same in memory and on disk.

A `PatternSet` reads lazily through a function that it is given, and returns prepared float32
batches. It knows nothing about files.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from speckle_core.contracts.arrays import FloatArray, IntArray
from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.handover import tensorflow_dataset, torch_dataset
from speckle_core.contracts.preparation import Step, prepare
from speckle_core.errors import DataError, PatternError

Read = Callable[[IntArray], NDArray[np.float32]]
Measured = Callable[[IntArray], NDArray[np.bool_] | None]
OnBatch = Callable[[int], None]
# Approximate bytes of patterns prepared at once.
_AT_ONCE = 2**20


def same_in_all(values: NDArray[np.float64]) -> bool:
    """Whether values (N,) differ by rounding alone."""
    return bool(np.ptp(values) <= 1e-9 * np.abs(values).max())


class PatternSet:
    """Patterns, their labels and the grid they lie on.

    Parameters
    ----------
    read : callable
        ``read(indices) -> float32 (B, ny, nx)``, raw patterns in the requested order.
    labels : array of int, (N,)
        The class of each pattern: its number of particles.
    grid : KGrid
        The grid of the patterns.
    classes : array of int, optional
        All classes, ascending; by default the distinct labels.
    steps : sequence of Preprocessor, optional
        Applied to the raw patterns by `batch`.
    on_batch : callable, optional
        Called by `batch` with the number of patterns returned, to report progress.
    measured : callable, optional
        ``measured(indices) -> bool (B, ny, nx)``, True for pixels that were measured; None, or a
        set without it, means all. The values of others are estimates.
    redraw : callable, optional
        ``redraw(epoch) -> PatternSet`` with other patterns of the same labels; see `at_epoch`.
    values : array, (N,), optional
        What is to be learned of each pattern in place of its class; see `SupportsValues`.

    Raises
    ------
    DataError
        When a label is not among the classes.

    Examples
    --------
    >>> import numpy as np
    >>> from speckle_core import KGrid, PatternSet
    >>> measured = np.ones((3, 65, 65), dtype=np.float32)
    >>> patterns = PatternSet.from_arrays(measured, [2, 2, 5], KGrid.centered(65, 0.00314))
    >>> patterns
    <PatternSet: 3 patterns of 65 × 65 pixels, n = 2 to 5>
    >>> patterns[0].shape, np.asarray(patterns[1:]).shape
    ((65, 65), (2, 65, 65))
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
        measured: Measured | None = None,
        redraw: Callable[[int], PatternSet] | None = None,
        values: ArrayLike | None = None,
    ) -> None:
        self._read = read
        self._measured = measured
        self._redraw = redraw
        self.labels: IntArray = np.asarray(labels, dtype=np.int64)
        self.grid = grid
        self.classes: IntArray = np.unique(self.labels if classes is None else np.asarray(classes))
        self.steps = tuple(steps)
        self._on_batch = on_batch
        self.values = None if values is None else np.asarray(values, dtype=np.float64)
        if self.values is not None and (
            self.values.shape != self.labels.shape or not np.isfinite(self.values).all()
        ):
            raise DataError("are not one finite number for each pattern", where="values")
        unknown = np.setdiff1d(self.labels, self.classes)
        if unknown.size:
            raise DataError(
                f"labels {unknown[:5].tolist()} are not among the classes "
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
        """Return the set of raw `patterns` (N, ny, nx) in memory."""
        labels = np.asarray(labels)
        if len(patterns) != len(labels):
            raise DataError(f"{len(patterns)} patterns but {len(labels)} labels")

        def read(indices: IntArray) -> NDArray[np.float32]:
            if isinstance(patterns, np.ndarray):
                return np.asarray(patterns[indices], dtype=np.float32)
            # An open HDF5 dataset gives its patterns in ascending order alone, each of them once.
            ascending, places = np.unique(indices, return_inverse=True)
            return np.asarray(patterns[ascending], dtype=np.float32)[places]

        return cls(read, labels, grid, classes=classes, steps=steps)

    def __len__(self) -> int:
        """Return the number of patterns."""
        return len(self.labels)

    def __repr__(self) -> str:
        """Return how many patterns of which size and classes it has."""
        size = f"{self.grid.size} × {self.grid.size} pixels"
        held = f"n = {self.classes[0]} to {self.classes[-1]}" if len(self.classes) else "no class"
        return f"<PatternSet: {len(self)} patterns of {size}, {held}>"

    def __getitem__(self, index: Any) -> Any:
        """Return one prepared pattern (ny, nx) by its place, or a set by a slice, list or mask."""
        if isinstance(index, int | np.integer):
            if not -len(self) <= index < len(self):
                raise IndexError(f"there is no pattern {index}, only {len(self)}")
            return self.batch([int(index) % len(self)])[0][0]
        return self.subset(np.arange(len(self))[index])

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        """Iterate over the prepared patterns, each (ny, nx)."""
        for patterns, _ in self.batches(64):
            yield from patterns

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Return all prepared patterns, float32 (N, ny, nx), as ``numpy.asarray`` asks for them."""
        if copy is False:
            raise ValueError("the patterns are read and prepared, so an array is always a copy")
        return self.batch(np.arange(len(self)))[0].astype(dtype or np.float32, copy=False)

    @property
    def targets(self) -> IntArray:
        """The index of each label in `classes`, (N,)."""
        return np.searchsorted(self.classes, self.labels)

    @property
    def fresh(self) -> bool:
        """Whether every epoch has patterns of its own; see `at_epoch`."""
        return self._redraw is not None

    def at_epoch(self, number: int) -> PatternSet:
        """Return the set that epoch `number`, from 1, is trained on: this set, unless it is fresh.

        A fresh set has the same labels in every epoch and simulates its patterns as they are read.
        Who reads it as any other set sees the patterns of the first epoch.
        """
        if self._redraw is None:
            return self
        drawn = self._redraw(number)
        return self._derive(drawn._read, self.labels, measured=drawn._measured, redraw=None)

    def raw(self, indices: ArrayLike) -> NDArray[np.float32]:
        """Return the unprepared patterns at `indices`, float32 (B, ny, nx)."""
        return self._read(np.atleast_1d(np.asarray(indices, dtype=np.int64)))

    def measured(self, indices: ArrayLike) -> NDArray[np.bool_] | None:
        """Return which pixels at `indices` were measured, (B, ny, nx); None if all were."""
        if self._measured is None:
            return None
        return self._measured(np.atleast_1d(np.asarray(indices, dtype=np.int64)))

    def valid(self, indices: ArrayLike) -> NDArray[np.bool_] | None:
        """Return which pixels at `indices` are known, (B, ny, nx); None if all are.

        On a centred grid, a pixel is known where it or its counterpart at -k was measured.
        """
        known = self.measured(indices)
        if known is None or self.grid.layout != "centered":
            return known
        return np.asarray(known | known[:, ::-1, ::-1])

    def batch(self, indices: ArrayLike) -> tuple[NDArray[np.float32], IntArray]:
        """Return the prepared patterns at `indices`, float32 (B, ny, nx), and their labels (B,)."""
        where = np.atleast_1d(np.asarray(indices, dtype=np.int64))
        patterns = self._prepared(where)
        if self._on_batch is not None:
            self._on_batch(len(where))
        return patterns, self.labels[where]

    def _prepared(self, where: IntArray) -> NDArray[np.float32]:
        """Read and prepare a few patterns at a time, in the order in which they are stored.

        What the steps return in between then stays in the cache, and needs no fresh memory.
        """
        few = max(1, _AT_ONCE // (4 * self.grid.size**2))
        if not self.steps or len(where) <= few:
            return self._prepared_together(where)
        found = np.empty((len(where), *self.grid.shape), dtype=np.float32)
        order = np.argsort(where, kind="stable")
        for start in range(0, len(where), few):
            some = order[start : start + few]
            try:
                found[some] = self._prepared_together(where[some])
            except PatternError:
                # Of all together, so that the message counts patterns as the caller does.
                return self._prepared_together(where)
        return found

    def _prepared_together(self, where: IntArray) -> NDArray[np.float32]:
        patterns = self._read(where)
        valid = self.valid(where) if self.steps else None
        return prepare(patterns, self.grid, self.steps, valid=valid)

    def batches(self, size: int) -> Iterator[tuple[NDArray[np.float32], IntArray]]:
        """Iterate over `(patterns, labels)` in order, `size` at a time."""
        for start in range(0, len(self), size):
            yield self.batch(np.arange(start, min(start + size, len(self))))

    def as_arrays(self) -> tuple[NDArray[np.float32], IntArray]:
        """Return all prepared patterns, float32 (N, ny, nx), and their labels, (N,)."""
        return self.batch(np.arange(len(self)))

    def as_torch(self) -> Any:
        """Return a `torch.utils.data.Dataset` of (pattern (1, ny, nx), index of its class).

        It reads and prepares lazily, and whole batches at once for a `DataLoader`.

        Raises
        ------
        MissingDependencyError
            When torch is not installed.
        """
        return torch_dataset(self._batch_of_targets, len(self))

    def as_tf(self, batch_size: int = 40) -> Any:
        """Return a `tf.data.Dataset` of batches (patterns (B, ny, nx, 1), indices of classes (B,)).

        The order is that of the set; it reads and prepares lazily.

        Raises
        ------
        MissingDependencyError
            When TensorFlow is not installed.
        """
        return tensorflow_dataset(self._batch_of_targets, len(self), self.grid.shape, batch_size)

    def _batch_of_targets(self, indices: IntArray) -> tuple[NDArray[np.float32], IntArray]:
        patterns, labels = self.batch(indices)
        return patterns, np.searchsorted(self.classes, labels)

    def _derive(self, read: Read, labels: IntArray, **changes: Any) -> PatternSet:
        settings: dict[str, Any] = {
            "classes": self.classes,
            "steps": self.steps,
            "on_batch": self._on_batch,
            "measured": self._measured,
            "redraw": self._redraw,
            "values": self.values,
        }
        return PatternSet(read, labels, self.grid, **(settings | changes))

    def subset(self, indices: ArrayLike) -> PatternSet:
        """Return the patterns at `indices`, in that order, as a set that also reads lazily."""
        chosen = np.asarray(indices, dtype=np.int64)
        known = None if self._measured is None else (lambda where: self.measured(chosen[where]))
        redraw = self._redraw
        return self._derive(
            lambda where: self._read(chosen[where]),
            self.labels[chosen],
            measured=known,
            redraw=None if redraw is None else (lambda epoch: redraw(epoch).subset(chosen)),
            values=None if self.values is None else self.values[chosen],
        )

    def with_measured(self, measured: NDArray[np.bool_] | None) -> PatternSet:
        """Return the same patterns, of which pixels were `measured` (N, ny, nx); None: all."""
        known = None if measured is None else (lambda indices: measured[indices])
        return self._derive(self._read, self.labels, measured=known, redraw=None)

    def with_values(self, values: ArrayLike) -> PatternSet:
        """Return the same patterns, of each of which a value (N,) is to be learned."""
        return self._derive(self._read, self.labels, values=values)

    def value_scale(self) -> tuple[float, float]:
        """Return mean and standard deviation of the values.

        Raises
        ------
        DataError
            When there are no values, or they do not differ, so that there is nothing to learn.
        """
        values = np.zeros(0) if self.values is None else self.values
        if not len(values):
            raise DataError("has no values", where="training set")
        if same_in_all(values):
            raise DataError(
                "the value to learn is the same in all patterns",
                where="training set",
                hint="Choose another target.quantity, or a sampler that varies it.",
            )
        return float(values.mean()), float(values.std())

    def prepared_with(self, steps: Sequence[Step]) -> PatternSet:
        """Return the same patterns, prepared by `steps` instead of the present ones."""
        return self._derive(self._read, self.labels, steps=tuple(steps))

    def cached(self) -> PatternSet:
        """Return the same patterns, each prepared on first use and then cached in memory.

        Takes 4 bytes a pixel: 4 GB for 15200 patterns of 257 × 257. Only prepared patterns are
        cached, so `raw` of the new set returns those, and its `steps` are empty.
        """
        values = np.empty((len(self), *self.grid.shape), dtype=np.float32)
        filled = np.zeros(len(self), dtype=bool)

        def read(indices: IntArray) -> NDArray[np.float32]:
            missing = np.unique(indices[~filled[indices]])
            if missing.size:
                values[missing] = self._prepared(missing)
                filled[missing] = True
            return values[indices]

        return self._derive(read, self.labels, steps=(), redraw=None)

    def with_progress(self, on_batch: OnBatch) -> PatternSet:
        """Return the same patterns; `on_batch` is called with the size of every batch returned."""
        return self._derive(self._read, self.labels, on_batch=on_batch)

    def kept(self) -> PatternSet:
        """Return `cached()`.

        .. deprecated:: 0.2.0
           Use `cached`.
        """
        warnings.warn("PatternSet.kept() is now cached()", DeprecationWarning, stacklevel=2)
        return self.cached()

    def watched(self, on_batch: OnBatch) -> PatternSet:
        """Return `with_progress(on_batch)`.

        .. deprecated:: 0.2.0
           Use `with_progress`.
        """
        warnings.warn(
            "PatternSet.watched() is now with_progress()", DeprecationWarning, stacklevel=2
        )
        return self.with_progress(on_batch)

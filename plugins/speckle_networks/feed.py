"""Batches for the network: shuffled, cropped, mirrored, halved, and prefetched.

Pure NumPy. Random numbers depend on the seed and the number of the epoch only, so that a resumed
training sees the same batches as an uninterrupted one.
"""

from __future__ import annotations

import collections
import contextlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core import IntArray, PatternError

Job = TypeVar("Job")
Result = TypeVar("Result")
Floats = NDArray[np.float32]

#: Keys of the random streams of a seed; 0 is that of the initial weights.
_ORDER, _MIRRORS = 1, 2


def shuffled(count: int, seed: int, epoch: int) -> IntArray:
    """Return the order in which epoch number `epoch` visits `count` patterns."""
    return _stream(seed, _ORDER, epoch).permutation(count)


def mirrors(count: int, seed: int, epoch: int) -> IntArray:
    """Return which of the square's eight symmetries each pattern shows in an epoch, (count,)."""
    return _stream(seed, _MIRRORS, epoch).integers(8, size=count)


def _stream(seed: int, purpose: int, epoch: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(purpose, epoch)))


def mirrored(patterns: Floats, which: IntArray) -> Floats:
    """Return each pattern flipped along x, y and the diagonal according to the bits of `which`.

    This is exact for patterns on a centred grid whose bodies have no preferred direction: the
    mirror image is the pattern of the mirrored configuration, which is equally likely. With real
    contrast, flips along x and along y give the same pattern, I(-k) = I(k).
    """
    flipped = patterns.copy()
    for index, bits in enumerate(which):
        one = patterns[index]
        one = one[:, ::-1] if bits & 1 else one
        one = one[::-1] if bits & 2 else one
        flipped[index] = one.T if bits & 4 else one
    return flipped


def split(order: IntArray, size: int, least: int) -> list[IntArray]:
    """Return `order` in batches of `size`; a rest smaller than `least` joins the last batch.

    A batch of one has no variance for batch norm, and each process needs its share.
    """
    starts = list(range(0, len(order), size))
    if len(starts) > 1 and len(order) - starts[-1] < least:
        starts.pop()
    return np.split(order, starts[1:])


@attrs.frozen
class View:
    """The pixels that a network reads: a central square, or with `half` its rows with ky ≥ 0."""

    crop: int | None = None
    half: bool = False

    def square(self, shape: tuple[int, ...]) -> tuple[slice, slice]:
        """Return the slices of the central square of a pattern (ny, nx), or of all of it.

        Raises
        ------
        PatternError
            When the pattern is too small, or has no middle pixel.
        """
        if self.crop is None and not self.half:
            return slice(0, shape[0]), slice(0, shape[1])
        for pixels in shape:
            if pixels < (self.crop or 0) or pixels % 2 == 0:
                raise self._missing(shape)
        margins = ((pixels - (self.crop or pixels)) // 2 for pixels in shape)
        rows, columns = (slice(m, n - m) for m, n in zip(margins, shape, strict=True))
        return rows, columns

    def window(self, shape: tuple[int, ...]) -> tuple[slice, slice]:
        """Return the slices of the pixels that are read of a pattern of that shape, (ny, nx).

        Raises
        ------
        PatternError
            When the pattern is too small, or has no middle pixel.
        """
        rows, columns = self.square(shape)
        return (slice(shape[0] // 2, rows.stop) if self.half else rows), columns

    def of_square(self, values: Floats) -> Floats:
        """Return the rows of central squares that are read, (B, side, side) to (B, rows, side)."""
        return values[:, values.shape[1] // 2 :] if self.half else values

    def _missing(self, shape: tuple[int, ...]) -> PatternError:
        size = f"patterns of {shape[0]} × {shape[1]} pixels"
        if self.crop is None:
            return PatternError(
                f"{size} have no middle row and column",
                where="half",
                hint="half needs a centred grid of odd size.",
            )
        return PatternError(
            f"{size} have no central {self.crop} × {self.crop}",
            where="crop",
            hint="Cropping needs a centred grid of odd size, at least as large as the crop.",
        )


@contextlib.contextmanager
def ahead(
    read: Callable[[Job], Result], jobs: Iterable[Job], depth: int = 2
) -> Iterator[Iterator[Result]]:
    """Provide ``read(job)`` of every job in order; a thread prefetches up to `depth` jobs.

    The thread ends with the ``with`` statement.
    """
    pending: collections.deque[Future[Result]] = collections.deque()

    def results(reader: ThreadPoolExecutor) -> Iterator[Result]:
        for job in jobs:
            pending.append(reader.submit(read, job))
            if len(pending) > depth:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()

    with ThreadPoolExecutor(1, thread_name_prefix="speckle-feed") as reader:
        try:
            yield results(reader)
        finally:
            for unread in pending:
                unread.cancel()

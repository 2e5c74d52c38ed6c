"""Batches as the network takes them: shuffled, cropped, mirrored, halved, and read ahead of time.

Pure NumPy. Every draw comes from the seed and the number of the epoch alone, so that a training
that goes on after a kill sees what an unbroken one would have seen.
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

#: First keys of the random streams of one seed; 0 draws the first weights.
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
    """Return each pattern flipped along x, y and about the diagonal, as the bits of `which` say.

    Exact for patterns on a centred grid whose bodies have no preferred direction: the mirror image
    is the pattern of the mirrored configuration, as likely as the first. With real contrast flips
    along x and along y give the same pattern, I(-k) = I(k).
    """
    flipped = patterns.copy()
    for index, bits in enumerate(which):
        one = patterns[index]
        one = one[:, ::-1] if bits & 1 else one
        one = one[::-1] if bits & 2 else one
        flipped[index] = one.T if bits & 4 else one
    return flipped


def split(order: IntArray, size: int, least: int) -> list[IntArray]:
    """Return `order` in batches of `size`; fewer than `least` left over join the last batch.

    A batch of one has no variance to normalise by, and each process needs its share.
    """
    starts = list(range(0, len(order), size))
    if len(starts) > 1 and len(order) - starts[-1] < least:
        starts.pop()
    return np.split(order, starts[1:])


@attrs.frozen
class View:
    """The pixels that a network reads: a central square, and with `half` its rows with ky ≥ 0."""

    crop: int | None = None
    half: bool = False

    def square(self, shape: tuple[int, ...]) -> tuple[slice, slice]:
        """Return the slices of the central square of a pattern (ny, nx), or of all of it.

        Raises
        ------
        PatternError
            When the pattern is smaller, or has no middle pixel.
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
        """Return the slices of all that is read of a pattern of that shape, (ny, nx).

        Raises
        ------
        PatternError
            When the pattern is smaller, or has no middle pixel.
        """
        rows, columns = self.square(shape)
        return (slice(shape[0] // 2, rows.stop) if self.half else rows), columns

    def of_square(self, values: Floats) -> Floats:
        """Return what is read of central squares, (B, side, side) to (B, rows, side)."""
        return values[:, values.shape[1] // 2 :] if self.half else values

    def _missing(self, shape: tuple[int, ...]) -> PatternError:
        size = f"patterns of {shape[0]} × {shape[1]} pixels"
        if self.crop is None:
            return PatternError(
                f"{size} have no middle row and column",
                where="half",
                hint="The half with ky ≥ 0 needs a centred grid of odd size.",
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
    """Give ``read(job)`` of every job in order, read by a second thread up to `depth` jobs ahead.

    The thread ends with the ``with`` statement, whatever happens inside.
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

"""How the patterns of a set are distributed over shards; it takes no memory, whatever the size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

import attrs

from speckle_core.contracts.grid import KGrid

SHARDS = "shards"
#: Limits of one shard: number of patterns, and roughly their bytes.
PATTERNS = 256
BYTES = 72 * 2**20


@attrs.frozen
class Shard:
    """A run of consecutive patterns, the unit of work: shard number, first pattern, count."""

    number: int
    first: int
    count: int

    @property
    def name(self) -> str:
        """Its file relative to the folder of the set, with a forward slash."""
        return f"{SHARDS}/{self.number:05d}.h5"


@attrs.frozen
class Plan(Sequence[Shard]):
    """The shards of a set, in order: all have `most` patterns, except that the last may have fewer.

    Parameters
    ----------
    patterns : int
        The number of patterns of the set.
    most : int
        The number of patterns of a shard.
    """

    patterns: int
    most: int

    def __len__(self) -> int:
        """Return the number of shards."""
        return -(-self.patterns // self.most)

    @overload
    def __getitem__(self, index: int) -> Shard: ...
    @overload
    def __getitem__(self, index: slice) -> list[Shard]: ...
    def __getitem__(self, index: int | slice) -> Shard | list[Shard]:
        """Return one shard, or several, by number."""
        if isinstance(index, slice):
            return [self[number] for number in range(len(self))[index]]
        number = range(len(self))[index]
        first = number * self.most
        return Shard(number, first, min(self.most, self.patterns - first))

    def __iter__(self) -> Iterator[Shard]:
        """Iterate over the shards."""
        return map(self.__getitem__, range(len(self)))


def plan(patterns: int, grid: KGrid) -> Plan:
    """Return the shards of a set of `patterns` patterns on `grid`; depends on nothing else."""
    return Plan(patterns, max(1, min(PATTERNS, BYTES // (4 * grid.size**2))))

"""Sums over round bodies, as matrix products on one quadrant of k space.

Bodies with the same shape key share a form factor, so only their waves are summed. Others are
summed chord by chord (`SupportsChords`), which adds a few columns per body to the same product, or
else row by row with a form factor for each body.
"""

from __future__ import annotations

import functools
import typing
from collections.abc import Hashable, Iterator, Sequence
from typing import Protocol

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core import KGrid, Particles, SupportsChords, SupportsRadialFormFactors
from speckle_scatter import fold
from speckle_scatter.chords import ChordedParticles, Chords
from speckle_scatter.fold import Floats
from speckle_scatter.waves import Waves

# Approximate size of a block of rows: fewer calls weigh more than a smaller cache.
_BLOCK, _GATHERED = 1 << 18, 1 << 15
# Products of fewer rows are slow. Tiles as wide as these round as whole rows do.
_ROWS, _COLUMNS = 8, 24
# Maximum number of columns of a product, and of bodies whose terms are kept for all blocks.
_WIDEST, _FEW = 256, 128


class RoundParticles(Particles, SupportsRadialFormFactors, Protocol):
    """The species summed here."""


# An isinstance check of a protocol takes as long as summing ten bodies, so it is cached per class.
@functools.cache
def is_round(kind: type) -> bool:
    """Return whether bodies of this class have radial form factors."""
    return issubclass(kind, SupportsRadialFormFactors)


@functools.cache
def _has_chords(kind: type) -> bool:
    return issubclass(kind, SupportsChords)


@functools.lru_cache(maxsize=4)
def _lengths(m: int) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """Return the distinct i² + j² for 0 ≤ i, j < `m`, and the index of each pixel's value, (m, m).

    They are integers, so pixels of equal |k| share exactly the same value.
    """
    squares = np.arange(m, dtype=np.int64) ** 2
    distinct, index = np.unique(squares[:, None] + squares, return_inverse=True)
    return distinct, index.reshape(m, m)


class Profiles:
    """Cache of form factors on the quadrant by shape key, of bounded size.

    Sets of equal disks need the same few again and again. The results never depend on the content
    of the cache.
    """

    _MOST_BYTES = 1 << 24

    def __init__(self) -> None:
        self._kept: dict[Hashable, Floats] = {}
        self._bytes = 0

    def get(self, particles: RoundParticles, i: int, key: Hashable, grid: KGrid) -> Floats:
        """Return F of body `i`, whose shape key is `key`, on one quadrant, (m, m) [area]."""
        name = (type(particles), key, grid)
        if name not in self._kept:
            squares, index = _lengths(fold.side(grid))
            lengths = np.sqrt(squares) * grid.step
            values = np.asarray(particles.radial_form_factor(i, lengths), dtype=np.float64)[index]
            if self._bytes + values.nbytes > self._MOST_BYTES:
                self._kept, self._bytes = {}, 0
            self._kept[name] = values
            self._bytes += values.nbytes
        return self._kept[name]


def _tile(depth: int, m: int) -> tuple[int, int]:
    """Return how many rows and columns of `depth` products each are small enough for one thread."""
    rows = fold.UNSPLIT // (depth * m)
    if rows >= _ROWS:
        return rows, m
    columns = fold.UNSPLIT // (depth * _ROWS)
    return _ROWS, max(_COLUMNS, columns - columns % _COLUMNS)


class Term(Protocol):
    """Contribution of some bodies to the sums."""

    def add(self, block: slice, out: Floats, first: bool) -> None:
        """Add the sums over rows `block` to `out` (parts, 2, 2, rows, m), or write the first."""
        ...


@attrs.frozen(eq=False)
class Product:
    """Σ_p y_p(ky) x_p(kx), times a common form factor.

    Parameters
    ----------
    y : array, (1 or 2, 2, p, m)
        Cosine and sine along y for each part of the contrast.
    x : array, (2, p, m)
        The same along x.
    form_factor : array, (m, m), optional
        Common to all bodies; None if the columns already contain it.
    """

    y: Floats
    x: Floats
    form_factor: Floats | None = None

    def add(self, block: slice, out: Floats, first: bool) -> None:
        """Add the sums; see `Term`."""
        depth, m = self.x.shape[1:]
        rows, columns = _tile(depth, m)
        target = out[: len(self.y)]
        sums = target if first else fold.SCRATCH.array("product", target.shape)
        # Sines along y meet those along x first; see `fold.amplitude`.
        pairs = [(self.y[:, f, None], self.x[:: 1 - 2 * f], sums[:, f]) for f in (0, 1)]
        for top in range(block.start, block.stop, rows):
            inner = slice(top, min(top + rows, block.stop))
            here = slice(inner.start - block.start, inner.stop - block.start)
            for left in range(0, m, columns):
                beside = slice(left, left + columns)
                for y, x, tile in pairs:
                    # (part, 1, rows, p) times (g, p, columns)
                    waves = y[..., inner].swapaxes(-1, -2)
                    np.matmul(waves, x[..., beside], out=tile[..., here, beside])
        if self.form_factor is not None:
            sums *= self.form_factor[block]
        if not first:
            target += sums


@attrs.frozen(eq=False)
class RowByRow:
    """Σ_p F_p y_p(ky) x_p(kx), with a form factor for each body.

    Parameters are those of `Product`, except `form_factors`, (p, m, m), one for each body.
    """

    y: Floats
    x: Floats
    form_factors: Floats

    def add(self, block: slice, out: Floats, first: bool) -> None:
        """Add the sums; see `Term`."""
        depth, m = self.x.shape[1:]
        rows = max(1, _GATHERED // (2 * depth * m))
        for top in range(block.start, block.stop, rows):
            inner = slice(top, min(top + rows, block.stop))
            target = out[: len(self.y), ..., top - block.start : inner.stop - block.start, :]
            y = self.y[..., inner].swapaxes(-1, -2)[:, :, None, :, None, :]
            # (g, rows, p, m)
            weighed = self.form_factors[:, inner].swapaxes(0, 1) * self.x[:, None]
            sums = (y @ weighed)[..., 0, :]
            sums[:, 1] = sums[:, 1, ::-1]
            target[...] = sums if first else target + sums


class Sums:
    """The sums over the round bodies of one configuration after another.

    Parameters
    ----------
    species : sequence of particles
        All that will be asked for, in this order.
    grid : KGrid
        The grid.
    profiles : Profiles
        Known form factors.
    """

    def __init__(self, species: Sequence[RoundParticles], grid: KGrid, profiles: Profiles) -> None:
        self._grid, self._profiles = grid, profiles
        self._waves = Waves(species, grid)
        m = self._side = fold.side(grid)
        rows = max(1, _BLOCK // (4 * m))
        self._blocks = [slice(top, min(top + rows, m)) for top in range(0, m, rows)]
        self._groups = _join(self._blocks, rows // 4)

    @functools.cached_property
    def _chords(self) -> Chords:
        return Chords(self._grid, self._waves)

    def of(self, species: Sequence[RoundParticles]) -> Iterator[tuple[slice, Floats]]:
        """Yield blocks of rows (ky ≥ 0) and the sums over all bodies there; see `fold.amplitude`.

        The yielded arrays are overwritten by the next block.
        """
        m, blocks = self._side, self._blocks
        real = all(fold.is_real(particles.contrast) for particles in species)
        count = sum(map(len, species))
        if real and 0 < count <= _FEW:
            held = [
                term
                for place, particles in enumerate(species)
                for term in self._terms(particles, place)
            ]
            for together in self._groups:
                first, last = together[0].start, together[-1].stop
                tile = fold.SCRATCH.array("sums", (1, 2, 2, last - first, m))
                for block in together:
                    inner = tile[..., block.start - first : block.stop - first, :]
                    for i, term in enumerate(held):
                        term.add(block, inner, i == 0)
                yield slice(first, last), tile
        else:
            whole = np.zeros((1 if real else 2, 2, 2, m, m))
            for particles in species:
                for term in self._terms(particles, None):
                    for block in blocks:
                        term.add(block, whole[..., block, :], False)
            for block in blocks:
                yield block, whole[..., block, :]

    def _terms(self, particles: RoundParticles, kept_as: int | None) -> Iterator[Term]:
        """Iterate over the terms of the sum, each for some bodies; see `Chords.columns`."""
        keys, grid, waves = particles.shape_keys(), self._grid, self._waves
        alike = _group(keys)
        unlike = [bodies[0] for bodies in alike.values() if len(bodies) == 1]
        if unlike and _has_chords(type(particles)):
            chorded, places = typing.cast(ChordedParticles, particles), np.array(unlike, np.intp)
            for y, x in self._chords.columns(chorded, places, _WIDEST, kept_as):
                yield Product(y, x)
        else:
            # Each body needs a form factor on the whole quadrant, so take few at a time.
            for start in range(0, len(unlike), _WIDEST // 8):
                chunk = unlike[start : start + _WIDEST // 8]
                each = np.stack([self._profiles.get(particles, i, keys[i], grid) for i in chunk])
                yield RowByRow(*waves.of(particles, chunk), each)
        for key, bodies in alike.items():
            if len(bodies) > 1:
                shared = self._profiles.get(particles, bodies[0], key, grid)
                for start in range(0, len(bodies), _WIDEST):
                    some = bodies[start : start + _WIDEST]
                    yield Product(*waves.of(particles, some), shared)


def _join(blocks: list[slice], most: int) -> list[list[slice]]:
    """Return the blocks one by one, the last with the one before if it has at most `most` rows.

    Products are those of the blocks, since the bits of a product can depend on its shape.
    """
    groups = [[block] for block in blocks]
    if len(blocks) > 1 and blocks[-1].stop - blocks[-1].start <= most:
        groups[-2:] = [blocks[-2:]]
    return groups


def _group(keys: Sequence[Hashable]) -> dict[Hashable, Sequence[int]]:
    """Return the bodies with each key."""
    if len(set(keys)) == 1:
        return {keys[0]: range(len(keys))}
    alike: dict[Hashable, list[int]] = {}
    for i, key in enumerate(keys):
        alike.setdefault(key, []).append(i)
    return dict(alike)

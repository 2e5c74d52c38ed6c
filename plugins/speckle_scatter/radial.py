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

from speckle_core import FloatArray, KGrid, Particles, SupportsChords, SupportsRadialFormFactors
from speckle_scatter import fold
from speckle_scatter.fold import Floats

# Approximate size of a block of rows, chosen to stay in a core's cache.
_BLOCK, _GATHERED = 1 << 16, 1 << 15
# Maximum number of columns of a product, to bound memory; and of columns kept for all blocks.
_WIDEST, _HELD = 256, 1024
# Bodies whose waves are computed together.
_TOGETHER = 1024

Bodies = Sequence[int] | NDArray[np.intp]


class RoundParticles(Particles, SupportsRadialFormFactors, Protocol):
    """The species summed here."""


class ChordedParticles(Particles, SupportsChords, Protocol):
    """Round species that are sums of chords."""


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
        rows = max(1, fold.UNSPLIT // (depth * m))
        for top in range(block.start, block.stop, rows):
            inner = slice(top, min(top + rows, block.stop))
            target = out[: len(self.y), ..., top - block.start : inner.stop - block.start, :]
            # (part, f, 1, rows, p) times (g, p, m)
            y = self.y[..., inner].swapaxes(-1, -2)[:, :, None]
            sums = np.matmul(y, self.x, out=target if first else None)
            if self.form_factor is not None:
                sums *= self.form_factor[inner]
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
            target[...] = sums if first else target + sums


class Waves:
    """cos and sin of k·r of all bodies of some species, computed together if they are few.

    For few bodies, the calls take longer than the arithmetic, whose bits do not depend on how many
    are computed together.
    """

    def __init__(self, species: Sequence[RoundParticles], grid: KGrid) -> None:
        self._grid = grid
        self._known: dict[int, Floats] = {}
        if sum(map(len, species)) > _TOGETHER:
            return
        places = [particles.centers.T.ravel() for particles in species]
        if places:
            ends = np.cumsum([len(p) for p in places])[:-1]
            parts = np.split(_contiguous_waves(np.concatenate(places), grid), ends, axis=1)
            self._known = {id(p): part for p, part in zip(species, parts, strict=True)}

    def of(self, particles: Particles, bodies: Bodies) -> tuple[Floats, Floats]:
        """Return the waves along y times contrast, (parts, 2, n, m), and along x, (2, n, m)."""
        contrast = fold.parts(particles.contrast)[:, bodies]
        count, known = len(particles), self._known.get(id(particles))
        every = len(bodies) == count
        if known is None:
            chosen = particles.centers[bodies].T.ravel()
            known, count, every = _contiguous_waves(chosen, self._grid), len(bodies), True
        x, y = known[:, :count], known[:, count:]
        if not every:
            x, y = x[:, bodies], y[:, bodies]
        if (contrast == 1).all():
            return y[None], x
        return contrast[:, None, :, None] * y, x


def _contiguous_waves(places: FloatArray, grid: KGrid) -> Floats:
    return np.ascontiguousarray(fold.waves(places, grid).swapaxes(-1, -2))


def sums(
    species: Sequence[RoundParticles], grid: KGrid, profiles: Profiles, waves: Waves
) -> Iterator[tuple[slice, Floats]]:
    """Yield blocks of rows (ky ≥ 0) and the sums over all bodies there; see `fold.amplitude`.

    The yielded arrays are overwritten by the next block.
    """
    m = fold.side(grid)
    rows = max(1, _BLOCK // (4 * m))
    blocks = [slice(top, min(top + rows, m)) for top in range(0, m, rows)]
    parts = max((len(fold.parts(particles.contrast)) for particles in species), default=1)
    terms = (term for particles in species for term in _terms(particles, grid, profiles, waves))
    if parts == 1 and 0 < sum(map(len, species)) <= _HELD // 8:
        held = list(terms)
        out = np.empty((1, 2, 2, rows + rows // 4, m))
        for together in _joined(blocks, rows // 4):
            first, last = together[0].start, together[-1].stop
            tile = out[..., : last - first, :]
            for block in together:
                inner = tile[..., block.start - first : block.stop - first, :]
                for i, term in enumerate(held):
                    term.add(block, inner, i == 0)
            yield slice(first, last), tile
    else:
        whole = np.zeros((parts, 2, 2, m, m))
        for term in terms:
            for block in blocks:
                term.add(block, whole[..., block, :], False)
        for block in blocks:
            yield block, whole[..., block, :]


def _joined(blocks: list[slice], most: int) -> list[list[slice]]:
    """Return the blocks one by one, the last with the one before if it has at most `most` rows.

    Products are those of the blocks, since the bits of a product can depend on its shape.
    """
    groups = [[block] for block in blocks]
    if len(blocks) > 1 and blocks[-1].stop - blocks[-1].start <= most:
        groups[-2:] = [blocks[-2:]]
    return groups


def _terms(
    particles: RoundParticles, grid: KGrid, profiles: Profiles, waves: Waves
) -> Iterator[Term]:
    """Iterate over the terms of the sum, each for some bodies."""
    keys = particles.shape_keys()
    alike: dict[Hashable, list[int]] = {}
    for i, key in enumerate(keys):
        alike.setdefault(key, []).append(i)
    unlike = [bodies[0] for bodies in alike.values() if len(bodies) == 1]
    if unlike and _has_chords(type(particles)):
        chorded = typing.cast(ChordedParticles, particles)
        yield from _chords(chorded, np.array(unlike, dtype=np.intp), grid, waves)
    else:
        # Each body needs a form factor on the whole quadrant, so take few at a time.
        for start in range(0, len(unlike), _WIDEST // 8):
            chunk = unlike[start : start + _WIDEST // 8]
            each = np.stack([profiles.get(particles, i, keys[i], grid) for i in chunk])
            yield RowByRow(*waves.of(particles, chunk), each)
    for key, bodies in alike.items():
        if len(bodies) > 1:
            shared = profiles.get(particles, bodies[0], key, grid)
            for start in range(0, len(bodies), _WIDEST):
                some = bodies[start : start + _WIDEST]
                yield Product(*waves.of(particles, some), shared)


def _chords(
    particles: ChordedParticles, bodies: NDArray[np.intp], grid: KGrid, waves: Waves
) -> Iterator[Term]:
    """Iterate over terms whose columns are chords, which contain the form factors."""
    k_max = np.sqrt(2.0) * grid.k_max
    owner, half_length, offset, weight = particles.chords(bodies, k_max)
    k = grid.axis[grid.origin :]
    # sin(kx a) / kx, which is a at kx = 0.
    over_k = np.divide(1.0, k, out=np.zeros_like(k), where=k > 0)
    for start in range(0, len(owner), _WIDEST):
        part = slice(start, start + _WIDEST)
        whose, inverse = np.unique(owner[part], return_inverse=True)
        y, x = waves.of(particles, bodies[whose])
        count = len(inverse)
        along = fold.waves(np.concatenate([half_length[part], offset[part]]), grid)
        along_x = np.multiply(along[1, :, :count].T, over_k, order="C")
        along_x[:, 0] = half_length[part]
        along_x *= weight[part, None]
        y, x = y.take(inverse, axis=-2), x.take(inverse, axis=-2)
        y *= along[0, :, count:].T
        x *= along_x
        yield Product(y, x)

"""Sums over round bodies, whose form factors need only the distinct lengths of k.

It knows no shape: `SupportsRadialFormFactors` gives form factors, and keys to tell them apart.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from speckle_core import KGrid, Particles, SupportsRadialFormFactors
from speckle_scatter import fold

Floats = NDArray[np.float64]
#: ``add(block, out, first)`` adds the sums of some bodies over the rows `block` of ky ≥ 0 to `out`,
#: (1 or 2, rows, 2, 2, m), or writes them if they are the `first` there.
Add = Callable[[slice, Floats, bool], None]

# Numbers per block of rows: what is worked on stays in the cache of a core.
_BLOCK, _GATHERED = 1 << 15, 1 << 15
# Bodies whose waves and form factors are held at once, which bounds memory.
_HELD = 128


class RoundParticles(Particles, SupportsRadialFormFactors, Protocol):
    """The species summed here."""


@functools.lru_cache(maxsize=4)
def _lengths(m: int) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """Return the distinct i² + j² for 0 ≤ i, j < `m`, and which of them each pixel has, (m, m).

    Whole numbers, so that pixels of equal length share one value exactly.
    """
    squares = np.arange(m, dtype=np.int64) ** 2
    distinct, index = np.unique(squares[:, None] + squares, return_inverse=True)
    return distinct, index.reshape(m, m)


class Profiles:
    """Form factors at the distinct lengths of k, kept by shape key; a bounded memory.

    Sets of equal disks ask for the same few again and again. What is returned never depends on what
    is held.
    """

    _MOST_BYTES = 1 << 22

    def __init__(self) -> None:
        self._kept: dict[Hashable, Floats] = {}
        self._bytes = 0

    def get(self, particles: RoundParticles, i: int, key: Hashable, grid: KGrid) -> Floats:
        """Return F of body `i`, whose shape key is `key`, at the lengths of one quadrant [area]."""
        name = (type(particles), key, grid)
        profile = self._kept.get(name)
        if profile is None:
            squares, _ = _lengths(fold.side(grid))
            profile = np.asarray(particles.radial_form_factor(i, np.sqrt(squares) * grid.step))
            if self._bytes + profile.nbytes > self._MOST_BYTES:
                self._kept, self._bytes = {}, 0
            self._kept[name] = profile
            self._bytes += profile.nbytes
        return profile


def sums(
    species: Sequence[RoundParticles], grid: KGrid, profiles: Profiles
) -> Iterator[tuple[slice, Floats]]:
    """Yield blocks of rows (ky ≥ 0) and the sums over all bodies there; see `fold.amplitude`.

    What is yielded is overwritten by the next block.
    """
    m = fold.side(grid)
    rows = max(1, _BLOCK // (4 * m))
    blocks = [slice(top, min(top + rows, m)) for top in range(0, m, rows)]
    parts = max((len(fold.parts(particles.contrast)) for particles in species), default=1)
    terms = (add for particles in species for add in _terms(particles, grid, profiles))
    if parts == 1 and 0 < sum(map(len, species)) <= _HELD:
        held = list(terms)
        out = np.empty((1, rows, 2, 2, m))
        for block in blocks:
            tile = out[:, : block.stop - block.start]
            for i, add in enumerate(held):
                add(block, tile, i == 0)
            yield block, tile
    else:
        whole = np.zeros((parts, m, 2, 2, m))
        for add in terms:
            for block in blocks:
                add(block, whole[:, block], False)
        for block in blocks:
            yield block, whole[:, block]


def _terms(particles: RoundParticles, grid: KGrid, profiles: Profiles) -> Iterator[Add]:
    """Yield the terms of the sum, each some bodies, like or unlike."""
    keys = particles.shape_keys()
    contrast = fold.parts(particles.contrast)
    alike: dict[Hashable, list[int]] = {}
    for i, key in enumerate(keys):
        alike.setdefault(key, []).append(i)
    unlike = [bodies[0] for bodies in alike.values() if len(bodies) == 1]
    # Pieces that bound memory, and whose products BLAS will not thread.
    most = max(1, min(64, fold.UNSPLIT // (4 * fold.side(grid))))

    def waves(bodies: list[int]) -> tuple[Floats, Floats]:
        """Return the waves along x, (n, 2, m), and along y times contrast, (m, 1 or 2, 2, n)."""
        x, y = particles.centers[bodies].T
        along_y = fold.waves(y, grid).transpose(2, 1, 0)[:, None]
        return fold.waves(x, grid), np.multiply(along_y, contrast[:, None, bodies], order="C")

    for start in range(0, len(unlike), most):
        chunk = unlike[start : start + most]
        each = np.stack([profiles.get(particles, i, keys[i], grid) for i in chunk])
        yield functools.partial(_add_unlike, *waves(chunk), each)
    for key, bodies in alike.items():
        if len(bodies) > 1:
            shared = profiles.get(particles, bodies[0], key, grid)
            for start in range(0, len(bodies), most):
                yield functools.partial(_add_alike, *waves(bodies[start : start + most]), shared)


def _add_alike(
    x: Floats, y: Floats, profile: Floats, block: slice, out: Floats, first: bool
) -> None:
    """Add bodies of one form factor: a matrix product over bodies, times that form factor."""
    n, _, m = x.shape
    _, index = _lengths(m)
    form_factor = profile[index[block]][:, None, None, :]
    right = x.reshape(n, -1)
    rows = max(1, fold.UNSPLIT // (4 * n * m))
    for part, whole in enumerate(out[: y.shape[1]]):
        left = y[block, part]
        for top in range(0, len(whole), rows):
            target = whole[top : top + rows]
            structure = target if first else np.empty_like(target)
            wave = left[top : top + rows].reshape(-1, n)
            np.matmul(wave, right, out=structure.reshape(-1, 2 * m))
            structure *= form_factor[top : top + rows]
            if not first:
                target += structure


def _add_unlike(
    x: Floats, y: Floats, profiles: Floats, block: slice, out: Floats, first: bool
) -> None:
    """Add bodies of a form factor each.

    In one row of pixels the form factor goes with kx and the body, so that each row is a matrix
    product over bodies.
    """
    n, _, m = x.shape
    _, index = _lengths(m)
    left = y[block].reshape(-1, 2 * y.shape[1], n)
    rows = max(1, _GATHERED // (2 * n * m))
    for top in range(0, len(left), rows):
        inner = slice(top, top + rows)
        gathered = profiles.take(index[block][inner], axis=1).transpose(1, 0, 2)
        right = (gathered[:, :, None, :] * x).reshape(-1, n, 2 * m)
        terms = (left[inner] @ right).reshape(-1, y.shape[1], 2, 2, m).swapaxes(0, 1)
        target = out[: y.shape[1], inner]
        if first:
            target[...] = terms
        else:
            target += terms

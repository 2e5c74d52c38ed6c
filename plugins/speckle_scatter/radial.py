"""Sums over round bodies, whose form factors need only the distinct lengths of k.

It knows no shape: `SupportsRadialFormFactors` gives form factors, and keys to tell them apart.
"""

from __future__ import annotations

import functools
from collections.abc import Hashable, Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from speckle_core.configuration import Particles, SupportsRadialFormFactors
from speckle_core.grid import KGrid
from speckle_scatter import fold

Floats = NDArray[np.float64]

# Numbers per block of rows: what is worked on stays in the cache of a core.
_BLOCK = 1 << 15


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
    species: Sequence[RoundParticles],
    grid: KGrid,
    profiles: Profiles,
    *,
    out: Floats | None = None,
) -> Floats:
    """Return the four sums over all bodies, (1 or 2, 2, m, 2, m); see `fold.amplitude`.

    `out` is an earlier result to write over, where it fits: fresh memory costs as much as the sum.
    """
    m = fold.side(grid)
    contrasts = [fold.parts(particles.contrast) for particles in species]
    shape = (max(map(len, contrasts), default=1), 2, m, 2, m)
    if out is None or out.shape != shape:
        out = np.empty(shape)
    out.fill(0)
    for particles, contrast in zip(species, contrasts, strict=True):
        keys = particles.shape_keys()
        alike: dict[Hashable, list[int]] = {}
        for i, key in enumerate(keys):
            alike.setdefault(key, []).append(i)
        target = out[: len(contrast)]
        unlike = [bodies[0] for bodies in alike.values() if len(bodies) == 1]
        for chunk in _chunks(unlike, m):
            each = np.stack([profiles.get(particles, i, keys[i], grid) for i in chunk])
            _add_unlike(*_waves(particles, contrast, chunk, grid), each, target)
        for key, bodies in alike.items():
            if len(bodies) > 1:
                shared = profiles.get(particles, bodies[0], key, grid)
                for chunk in _chunks(bodies, m):
                    _add_alike(*_waves(particles, contrast, chunk, grid), shared, target)
    return out


def _chunks(bodies: list[int], m: int) -> Iterator[list[int]]:
    """Yield `bodies` in pieces that bound memory, and whose products BLAS will not thread."""
    most = max(1, min(64, fold.UNSPLIT // (4 * m)))
    for start in range(0, len(bodies), most):
        yield bodies[start : start + most]


def _waves(
    particles: RoundParticles, contrast: Floats, bodies: list[int], grid: KGrid
) -> tuple[Floats, Floats]:
    """Return the waves along x, (j, 2, m), and along y times the contrast, (1 or 2, j, 2, m)."""
    x, y = particles.centers[bodies].T
    return fold.waves(x, grid), fold.waves(y, grid) * contrast[:, bodies, None, None]


def _add_alike(x: Floats, y: Floats, profile: Floats, out: Floats) -> None:
    """Add bodies of one form factor: a matrix product over bodies, times that form factor."""
    n, _, m = x.shape
    _, index = _lengths(m)
    rows = max(1, fold.UNSPLIT // (4 * n * m))
    for top in range(0, m, rows):
        block = slice(top, top + rows)
        form_factor = profile[index[block]][:, None, :]
        for wave, target in zip(y, out, strict=True):
            structure = wave[:, :, block].reshape(n, -1).T @ x.reshape(n, -1)
            terms = structure.reshape(2, -1, 2, m)
            terms *= form_factor
            target[:, block] += terms


def _add_unlike(x: Floats, y: Floats, profiles: Floats, out: Floats) -> None:
    """Add bodies of a form factor each.

    In one row of pixels the form factor goes with kx and the body, so that each row is a matrix
    product over bodies.
    """
    n, _, m = x.shape
    _, index = _lengths(m)
    left = y.transpose(3, 0, 2, 1).reshape(m, -1, n)
    rows = max(1, _BLOCK // (2 * n * m))
    for top in range(0, m, rows):
        block = slice(top, top + rows)
        form_factors = profiles.take(index[block], axis=1).transpose(1, 0, 2)[:, :, None, :]
        right = (form_factors * x).reshape(-1, n, 2 * m)
        product = (left[block] @ right).reshape(-1, len(out), 2, 2, m)
        out[:, :, block] += product.transpose(1, 2, 0, 3, 4)

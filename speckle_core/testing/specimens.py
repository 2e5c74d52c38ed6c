"""Test objects of the kit: a shape, patterns, and a network.

No plugin has this shape, so a scatterer or figure that assumes disks fails on it. Everything is a
closed form or seeded, so that checks give the same result everywhere.
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core.contracts.arrays import ComplexArray, FloatArray, IntArray
from speckle_core.contracts.geometry import Configuration
from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.patterns import PatternSet

BOX = 2000.0
GRID = KGrid.centered(33, 0.004)


@attrs.frozen(eq=False, kw_only=True)
class Blobs:
    """Anisotropic Gaussian bodies: ``ρ = exp(-u²/2a² - v²/2b²)`` along axes rotated by `angles`.

    Their form factor is ``2πab exp(-(a²k_u² + b²k_v²)/2)``. Widths a, b are (n,) [length], angles
    (n,) [rad] from x to u.
    """

    centers: FloatArray
    long: FloatArray
    short: FloatArray
    angles: FloatArray
    contrast: ComplexArray | FloatArray

    @property
    def bounding_radii(self) -> FloatArray:
        """Five times the larger width, (n,) [length]: the density is 4e-6 there."""
        return 5.0 * np.maximum(self.long, self.short)

    def __len__(self) -> int:
        """Return the number of bodies."""
        return len(self.centers)

    def form_factors(self, kx: FloatArray, ky: FloatArray) -> FloatArray:
        """Return the closed form, (n, *kx.shape) [area]."""
        shape = (-1,) + (1,) * np.ndim(kx)
        long, short, angle = (a.reshape(shape) for a in (self.long, self.short, self.angles))
        along = np.cos(angle) * kx + np.sin(angle) * ky
        across = -np.sin(angle) * kx + np.cos(angle) * ky
        exponent = (long * along) ** 2 + (short * across) ** 2
        found: FloatArray = 2 * np.pi * long * short * np.exp(-exponent / 2)
        return found

    def density(self, i: int, x: FloatArray, y: FloatArray) -> FloatArray:
        """Return the density of body `i` at (x, y) [length]."""
        dx, dy = x - self.centers[i, 0], y - self.centers[i, 1]
        cos, sin = np.cos(self.angles[i]), np.sin(self.angles[i])
        along, across = (cos * dx + sin * dy) / self.long[i], (cos * dy - sin * dx) / self.short[i]
        found: FloatArray = np.exp(-(along**2 + across**2) / 2)
        return found


def blobs(count: int, seed: int, *, width: float = 40.0, contrast: Any = 1.0) -> Blobs:
    """Return `count` blobs of about `width` [length], well inside the box."""
    rng = np.random.default_rng(seed)
    return Blobs(
        centers=rng.uniform(0.2 * BOX, 0.8 * BOX, (count, 2)),
        long=width * rng.uniform(1.0, 1.4, count),
        short=width * rng.uniform(0.5, 0.8, count),
        angles=rng.uniform(0, np.pi, count),
        contrast=np.broadcast_to(np.asarray(contrast), count),
    )


def direct_sum(configuration: Configuration, grid: KGrid) -> NDArray[np.complex128]:
    """Return Σ c F(k) exp(-i k·r), summed term by term: the reference for scatterers."""
    kx, ky = np.meshgrid(grid.axis, grid.axis)
    total = np.zeros(grid.shape, dtype=np.complex128)
    for particles in configuration.particles:
        factors = particles.form_factors(kx, ky)
        for (x, y), contrast, factor in zip(
            particles.centers, particles.contrast, factors, strict=True
        ):
            total += contrast * factor * np.exp(-1j * (kx * x + ky * y))
    return total


#: Number of bodies → their width [length]; halving it doubles the width of the pattern's lobe.
EASY = {1: 80.0, 2: 40.0, 4: 20.0, 16: 10.0}


def intensities(counts: IntArray, seed: int, grid: KGrid = GRID) -> FloatArray:
    """Return one pattern for each of `counts`, of round blobs of equal width (see `EASY`)."""
    amplitudes = []
    for i, count in enumerate(counts.tolist()):
        width = np.full(count, EASY[count])
        bodies = attrs.evolve(blobs(count, seed + i), long=width, short=width)
        amplitudes.append(direct_sum(Configuration(bodies, BOX), grid))
    return np.abs(np.array(amplitudes)) ** 2


def easy_patterns(seed: int) -> PatternSet:
    """Return eight standardised patterns, two of each class of `EASY`.

    The width of the lobe, the azimuthal profile, the speckle contrast and the speckle size each
    distinguish the classes, so that a classifier that uses only one of them can learn them.
    """
    labels = np.array(list(EASY) * 2)
    patterns = intensities(labels, seed)
    patterns = patterns - patterns.mean(axis=(1, 2), keepdims=True)
    patterns /= patterns.std(axis=(1, 2), keepdims=True)
    return PatternSet.from_arrays(patterns.astype(np.float32), labels, GRID)


@attrs.frozen(eq=False)
class TinyNetwork:
    """A fitted network in NumPy: 3 × 3 convolution, ReLU, mean over space, dense, softmax.

    It has the optional capabilities that explainers use, in closed form.
    """

    filters: FloatArray
    weights: FloatArray

    @classmethod
    def from_seed(cls, seed: int) -> TinyNetwork:
        """Return a network with the classes 2, 3 and 4 and four filters."""
        rng = np.random.default_rng(seed)
        return cls(rng.normal(size=(4, 3, 3)), rng.normal(size=(3, 4)))

    @property
    def classes(self) -> IntArray:
        """The class values."""
        return np.arange(2, 2 + len(self.weights))

    def _pre_activation(self, patterns: FloatArray) -> FloatArray:
        """Return the input of the ReLU, (B, c, h, w)."""
        windows = np.lib.stride_tricks.sliding_window_view(patterns, (3, 3), axis=(1, 2))
        found: FloatArray = np.einsum("bhwij,cij->bchw", windows, self.filters, optimize=True)
        return found

    def predict_proba(self, patterns: FloatArray) -> FloatArray:
        """Return class probabilities, (B, classes)."""
        scores = np.maximum(self._pre_activation(patterns), 0).mean(axis=(2, 3)) @ self.weights.T
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        found: FloatArray = odds / odds.sum(axis=1, keepdims=True)
        return found

    def feature_maps(
        self, patterns: FloatArray, targets: IntArray, *, stage: str | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Return the maps after the ReLU and their gradients; there is only one stage."""
        del stage
        maps = np.maximum(self._pre_activation(patterns), 0)
        weights = self.weights[targets][:, :, None, None] / maps[0, 0].size
        return maps, np.broadcast_to(weights, maps.shape)

    def input_gradients(
        self, patterns: FloatArray, targets: IntArray, *, guided: bool = False
    ) -> FloatArray:
        """Return d score[target] / d pattern, (B, ny, nx)."""
        before = self._pre_activation(patterns)
        back = self.feature_maps(patterns, targets)[1] * (before > 0)
        if guided:
            back = np.maximum(back, 0)
        found = np.zeros_like(patterns)
        height, width = before.shape[2:]
        for i in range(3):
            for j in range(3):
                found[:, i : i + height, j : j + width] += np.einsum(
                    "bchw,c->bhw", back, self.filters[:, i, j]
                )
        return found

    def randomised(self, *, seed: int) -> TinyNetwork:
        """Return a network with other weights."""
        return TinyNetwork.from_seed(seed)


class PredictionsOnly:
    """A fitted classifier without optional capabilities: bright patterns are of the last class."""

    classes = np.array([2, 3, 4])

    def predict_proba(self, patterns: FloatArray) -> FloatArray:
        """Return class probabilities, (B, 3)."""
        bright = 1 / (1 + np.exp(-patterns.mean(axis=(1, 2))))
        return np.stack([(1 - bright) / 2, (1 - bright) / 2, bright], axis=1)

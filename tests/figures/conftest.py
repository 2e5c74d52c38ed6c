"""Systems to draw: square bodies, which know nothing of disks, and their patterns."""

import attrs
import numpy as np
import pytest

from speckle_core.contracts.geometry import Configuration
from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.roles import Epoch


@attrs.frozen(eq=False)
class Squares:
    """Upright squares of one thickness; F(k) = a² sinc(kx a / 2) sinc(ky a / 2)."""

    centers: np.ndarray
    sides: np.ndarray
    contrast: np.ndarray
    asked: list = attrs.field(factory=list)

    @property
    def bounding_radii(self):
        return self.sides / np.sqrt(2)

    def __len__(self):
        return len(self.sides)

    def form_factors(self, kx, ky):
        a = self.sides.reshape((-1,) + (1,) * np.ndim(kx))
        return a**2 * np.sinc(kx * a / (2 * np.pi)) * np.sinc(ky * a / (2 * np.pi))

    def density(self, i, x, y):
        dx, dy = x - self.centers[i, 0], y - self.centers[i, 1]
        self.asked.append((i, np.hypot(dx, dy)))
        return (np.maximum(abs(dx), abs(dy)) <= self.sides[i] / 2).astype(float)


@pytest.fixture(scope="session")
def squares():
    def make(centers, sides, contrast=None, box=1000.0):
        sides = np.asarray(sides, dtype=float)
        contrast = np.ones(len(sides)) if contrast is None else np.asarray(contrast)
        return Configuration(Squares(np.asarray(centers, dtype=float), sides, contrast), box)

    return make


@pytest.fixture(scope="session")
def grid():
    return KGrid.centered(33, np.pi / 1000)


@pytest.fixture(scope="session")
def speckle(grid):
    """|A|² of a configuration of one kind of body, by the plain sum."""

    def intensity(configuration):
        kx, ky = np.meshgrid(grid.axis, grid.axis)
        body = configuration.particles[0]
        phases = np.exp(-1j * np.tensordot(body.centers, np.stack([kx, ky]), axes=1))
        return np.abs(np.sum(body.form_factors(kx, ky) * phases, axis=0)) ** 2

    return intensity


@pytest.fixture(scope="session")
def items(squares, speckle):
    """`count` systems as a gallery takes them."""

    def make(count):
        rng = np.random.default_rng(5)
        systems = [
            (n, squares(rng.uniform(100, 900, (n, 2)), np.full(n, 60.0)))
            for n in range(2, count + 2)
        ]
        return [(n, system, speckle(system)) for n, system in systems]

    return make


@pytest.fixture(scope="session")
def history():
    def make(epochs, valid=True):
        nan = float("nan")
        return [
            Epoch(
                i,
                epochs,
                2.0 / i,
                1 - 0.5 / i,
                2.5 / i if valid else nan,
                0.9 - 0.5 / i if valid else nan,
                1.0,
                1e-3,
            )
            for i in range(1, epochs + 1)
        ]

    return make

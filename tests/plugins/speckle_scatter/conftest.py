"""Shapes and sums that the tests compare with, written down independently of the plugins."""

import importlib.util
from pathlib import Path

import attrs
import numpy as np
import pytest
from scipy.special import j1

from speckle_core import Configuration, KGrid
from speckle_disks.disks import Disks


@attrs.frozen(eq=False)
class Ellipses:
    """A stranger's geometry: anisotropic, not round, and unknown to every plugin."""

    centers: np.ndarray
    semi_axes: np.ndarray
    angles: np.ndarray
    contrast: np.ndarray

    def __len__(self):
        return len(self.centers)

    @property
    def bounding_radii(self):
        return self.semi_axes.max(axis=1)

    def _turned(self, i, x, y):
        c, s = np.cos(self.angles[i]), np.sin(self.angles[i])
        return c * x + s * y, c * y - s * x

    def form_factors(self, kx, ky):
        out = []
        for i, (a, b) in enumerate(self.semi_axes):
            along, across = self._turned(i, kx, ky)
            q = np.maximum(np.hypot(a * along, b * across), 1e-9)
            out.append(2 * np.pi * a * b * j1(q) / q)
        return np.array(out)

    def density(self, i, x, y):
        along, across = self._turned(i, x - self.centers[i, 0], y - self.centers[i, 1])
        a, b = self.semi_axes[i]
        return ((along / a) ** 2 + (across / b) ** 2 <= 1).astype(float)


@pytest.fixture
def ellipses():
    return Ellipses(
        centers=np.array([[400.0, 700.0], [1500.5, 1200.25], [900.0, 1700.0]]),
        semi_axes=np.array([[120.0, 60.0], [80.0, 150.0], [100.0, 30.0]]),
        angles=np.array([0.3, 1.1, -0.7]),
        contrast=np.ones(3),
    )


@pytest.fixture
def mixture(ellipses):
    """Equal disks, one of another size, and ellipses, all with complex contrast."""
    rng = np.random.default_rng(2)
    equal = Disks(rng.uniform(200, 1800, (5, 2)), np.full(5, 57.0))
    single = Disks([[300.0, 1800.0]], [44.0])
    species = [
        attrs.evolve(p, contrast=rng.normal(size=len(p)) + 1j * rng.normal(size=len(p)))
        for p in (equal, single, ellipses)
    ]
    return Configuration(species, 2000.0)


def _direct(configuration: Configuration, grid: KGrid) -> np.ndarray:
    kx, ky = np.meshgrid(grid.axis, grid.axis)
    total = np.zeros(grid.shape, dtype=complex)
    for particles in configuration.particles:
        form_factors = particles.form_factors(kx, ky)
        for (x, y), form_factor, contrast in zip(
            particles.centers, form_factors, particles.contrast, strict=True
        ):
            total += contrast * form_factor * np.exp(-1j * (kx * x + ky * y))
    return total


@pytest.fixture
def direct_sum():
    """The defining sum, body by body and pixel by pixel."""
    return _direct


@pytest.fixture
def paper_grid():
    return KGrid.centered(257, np.pi / 2000)


@pytest.fixture(scope="session")
def authors():
    """The authors' transform, which is also what examples/paper/ runs at full size."""
    path = Path(__file__).parents[3] / "examples" / "paper" / "authors_transform.py"
    spec = importlib.util.spec_from_file_location("authors_transform", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

"""Patterns for these tests, summed directly and independently of every plugin."""

import numpy as np
import pytest
from scipy.special import j1

from speckle_core import KGrid
from speckle_core.contracts.patterns import PatternSet

BOX = 2000.0


def place(radii, rng, gap=2.0):
    """Return centres (n, 2) of disks dropped one after the other into the box, without overlap."""
    centers = np.empty((0, 2))
    while len(centers) < len(radii):
        n = len(centers)
        drawn = rng.uniform(radii[n], BOX - radii[n], 2)
        if np.all(np.hypot(*(centers - drawn).T) >= radii[:n] + radii[n] + gap):
            centers = np.vstack([centers, drawn])
    return centers


def radii_of(kind, count, rng):
    nominal = 90 * np.sqrt(2 / count)
    if kind == "constant area":
        return np.full(count, nominal)
    if kind == "fixed radius":
        return np.full(count, 90.0)
    drawn = np.sort(np.maximum(rng.normal(nominal, nominal / 3, count), 0.1 * nominal))[::-1]
    return drawn * np.sqrt(16200 / np.sum(drawn**2))


class Simulation:
    def __init__(self, kind, grid, seed):
        self.kind, self.grid, self.seed = kind, grid, seed
        squares, self.where = np.unique(
            grid.indices[:, None] ** 2 + grid.indices**2, return_inverse=True
        )
        self.k = np.sqrt(squares) * grid.step
        self.forms = {}

    def form(self, radius):
        if radius not in self.forms:
            x = np.maximum(self.k * radius, 1e-9)
            form = (2 * np.pi * radius**2 * j1(x) / x)[self.where]
            if self.kind == "fresh sizes":
                return form
            self.forms[radius] = form
        return self.forms[radius]

    def __call__(self, count, number):
        rng = np.random.default_rng([self.seed, count, number])
        radii = radii_of(self.kind, count, rng)
        along_x, along_y = (np.exp(-1j * np.outer(c, self.grid.axis)) for c in place(radii, rng).T)
        if len(set(radii)) == 1:
            amplitude = (along_y.T @ along_x) * self.form(radii[0])
        else:
            amplitude = sum(
                np.outer(y, x) * self.form(r)
                for x, y, r in zip(along_x, along_y, radii, strict=True)
            )
        return np.abs(amplitude) ** 2


class Blocked:
    def __call__(self, patterns, grid):
        out = patterns.copy()
        out[:, *grid.block(11)] = 0
        return out


class Standardized:
    def __call__(self, patterns, grid):
        mean = patterns.mean(axis=(1, 2), keepdims=True)
        return (patterns - mean) / patterns.std(axis=(1, 2), keepdims=True)


@pytest.fixture
def simulation():
    """Return a function of kind and grid, which gives a function of count and number."""
    return lambda kind, grid: Simulation(kind, grid, seed=11)


@pytest.fixture(scope="session")
def simulate():
    """Return a function for prepared PatternSets of `per` patterns per count, from `first` on."""
    made = {}

    def simulate(kind, counts, per, *, size=129, layout="centered", first=0, step=np.pi / BOX):
        key = (kind, tuple(counts), per, size, layout, first, step)
        if key not in made:
            grid = KGrid(layout, size, step)
            one = Simulation(kind, grid, seed=11)
            patterns = [one(n, i) for n in counts for i in range(first, first + per)]
            made[key] = PatternSet.from_arrays(
                np.array(patterns, dtype=np.float32),
                np.repeat(list(counts), per),
                grid,
                steps=(Blocked(), Standardized()),
            )
        return made[key]

    return simulate

"""Patterns with their truth, and how far an answer is from it."""

import numpy as np

from speckle_core import KGrid
from speckle_disks.samplers import Monodisperse, Polydisperse
from speckle_scatter.analytic import Analytic

GRID = KGrid.centered(257, np.pi / 2000)
SAMPLERS = {"poly": Polydisperse(), "fixed": Monodisperse(radius=90.0), "mono": Monodisperse()}


def blocked(configuration, grid=GRID, size=11):
    """Return the exact intensity with `size` × `size` pixels round k = 0 set to 0."""
    pattern = np.array(Analytic().intensity(configuration, grid), dtype=np.float64)
    pattern[grid.block(size)] = 0
    return pattern


def errors(truth, found):
    """Return the largest error of a position and of a radius after translation and inversion."""
    a, b = truth.particles[0], found.particles[0]
    best = (np.inf, np.inf)
    for sign in (1, -1):
        for j in range(len(b)):
            moved = sign * (b.centers - b.centers[j]) + a.centers[np.argmax(a.radii)]
            apart = np.hypot(*(moved[:, None] - a.centers).transpose(2, 0, 1))
            match = apart.argmin(axis=1)
            if len(set(match)) == len(a):
                offset = moved - a.centers[match]
                place = np.abs(offset - offset.mean(axis=0)).max()
                best = min(best, (place + 0.0, np.abs(b.radii - a.radii[match]).max()), key=sum)
    return best

"""Frames of a detector for these tests."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from speckle_core import KGrid, create

STEP = np.pi / 2000


def speckle(n: int, size: int, step: float = STEP, seed: int = 0) -> NDArray[np.float64]:
    system = create("sampler", "monodisperse").sample(n, np.random.default_rng([n, seed]))
    found = create("scatterer", "analytic").intensity(system, KGrid.centered(size, step))
    return np.asarray(found, dtype=np.float64)


def whole(frame: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.ones(frame.shape, dtype=bool)

"""Zeros of the mean form factor of a class, computed from its particles.

No shape is assumed: a zero is a k where the squared form factor, averaged over all bodies of a
class and all directions, vanishes. Bodies of different sizes or orientations fill each other's
zeros; the class then has none.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize

from speckle_core.contracts.geometry import Configuration

Array = NDArray[np.float64]

#: Directions over the half plane: one would do for round bodies; several show other shapes.
_ANGLES = 8
#: At a zero, the value is below this fraction of the maximum that follows.
_VANISHES = 1e-4


def mean_form_factor(configurations: Sequence[Configuration], k: ArrayLike) -> Array:
    """Return the mean over all bodies and directions of ``|c F(k)|²``, of the shape of `k`.

    Parameters
    ----------
    configurations : sequence of Configuration
        Of one class.
    k : array
        Lengths of the wave vector [1/length].
    """
    lengths = np.asarray(k, dtype=np.float64)
    angles = np.arange(_ANGLES) * np.pi / _ANGLES
    kx, ky = np.multiply.outer(lengths, np.cos(angles)), np.multiply.outer(lengths, np.sin(angles))
    total, bodies = np.zeros(lengths.shape), 0
    for configuration in configurations:
        for particles in configuration.particles:
            amplitudes = np.abs(particles.form_factors(kx, ky)) ** 2
            weights = np.abs(particles.contrast) ** 2
            total += np.tensordot(weights, amplitudes.mean(axis=-1), axes=1)
            bodies += len(particles)
    return total / max(bodies, 1)


def form_factor_zeros(configurations: Sequence[Configuration], k: ArrayLike) -> Array:
    """Return the zeros of the form factor within `k`, ascending [1/length], (zeros,).

    Parameters
    ----------
    configurations : sequence of Configuration
        Configurations of one class; a few are enough.
    k : array, (samples,)
        Ascending, and finer than the distance of two zeros; each minimum is refined between its
        neighbours.
    """
    samples = np.asarray(k, dtype=np.float64)
    values = mean_form_factor(configurations, samples)
    found = []
    for i in range(1, len(samples) - 1):
        if not values[i - 1] > values[i] <= values[i + 1]:
            continue
        at, least = _refine(configurations, samples[i - 1], samples[i + 1])
        # The next maximum is where the values start to fall again.
        after = values[i:]
        falling = np.flatnonzero(np.diff(after) < 0)
        peak = after[falling[0]] if len(falling) else after[-1]
        if least < _VANISHES * peak:
            found.append(at)
    return np.array(found)


def _refine(
    configurations: Sequence[Configuration], low: float, high: float
) -> tuple[float, float]:
    result = optimize.minimize_scalar(
        lambda k: float(mean_form_factor(configurations, k)),
        bounds=(low, high),
        method="bounded",
        options={"xatol": 1e-9 * high},
    )
    return float(result.x), float(result.fun)

"""Levenberg-Marquardt for places and radii of disks."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dposv

from speckle_specklenet.amplitudes import Points, Waves, misfit, slopes, waves

Floats = NDArray[np.floating[Any]]

_DAMPING, _LESS, _MORE, _LEAST, _MOST = 1e-2, 0.3, 8.0, 1e-6, 1e3
#: Largest steps and the allowed radii, in mean radii.
_SHIFT, _GROWTH, _SMALLEST, _LARGEST = 0.5, 0.3, 0.002, 2.5
#: A step that leaves more than this share of the misfit is small; as many in a row end it.
_SMALL, _PATIENCE = 0.97, 3


@attrs.frozen(eq=False)
class Model:
    """T bodies.

    Parameters
    ----------
    places : array, (T, 2)
        (y, x) [1 / k step].
    radii : array, (T,)
        [1 / k step].
    scale : float
        Of the amplitude, or of the intensity where that is fitted.
    left : float
        Share of the intensity that is left over.
    """

    places: Floats
    radii: Floats
    scale: np.float32 = np.float32(1)
    left: float = np.inf

    def __len__(self) -> int:
        """Return the number of bodies."""
        return len(self.radii)

    def part(self, which: NDArray[Any]) -> Model:
        """Return the start of a model with some of the bodies."""
        return Model(self.places[which], self.radii[which])


def normal_equations(
    found: Waves, radii: Floats, points: Points, scale: np.float32
) -> tuple[Floats, Floats]:
    """Return JᵀJ and Jᵀr of all parameters, (3 T + 1,): y, x, radii and the scale."""
    count = len(found.size)
    weight = points.weight * scale
    turn: Floats
    value: Floats
    if points.squared:
        turn, value = 2 * weight, found.modulus * found.modulus
    else:
        turn, value = weight / np.maximum(found.modulus, np.float32(1e-12)), found.modulus
    real, imaginary = found.real * turn, found.imaginary * turn
    jacobian = np.empty((3 * count + 1, len(weight)), dtype=np.float32)
    across = real * found.sin
    across += imaginary * found.cos
    across *= found.size
    np.multiply(across, -points.k[0], out=jacobian[:count])
    np.multiply(across, -points.k[1], out=jacobian[count : 2 * count])
    along = np.multiply(real, found.cos, out=jacobian[2 * count : 3 * count])
    along -= imaginary * found.sin
    along *= slopes(found, radii)
    np.multiply(value, weight, out=jacobian[-1])
    normal: Floats = (jacobian @ jacobian.T).astype(np.float64)
    return normal, jacobian @ (jacobian[-1] - points.weight * points.measured)


def step(found: Waves, radii: Floats, points: Points, scale: np.float32, damping: float) -> Floats:
    """Return the change of all parameters, (3 T + 1,): y, x, radii and the scale."""
    normal, gradient = normal_equations(found, radii, points, scale)
    diagonal = normal.ravel()[:: len(normal) + 1]
    diagonal += damping * diagonal + 1e-9 * diagonal.max()
    _, change, failed = dposv(normal, gradient.astype(np.float64))
    if failed:
        return np.zeros(len(normal), dtype=np.float32)
    solved: Floats = -change.astype(np.float32)
    return solved


def _within(values: Floats, low: float, high: float) -> Floats:
    # np.clip takes as long as a step's products.
    found: Floats = np.minimum(np.maximum(values, np.float32(low)), np.float32(high))
    return found


def refine(model: Model, points: Points, unit: float, steps: int, goal: float) -> Model:
    """Return the model after at most so many steps; its misfit never rises.

    Parameters
    ----------
    model : Model
        The start; its scale and misfit are not read.
    points : Points
        What is fitted.
    unit : float
        The mean radius [1 / k step].
    steps : int
        Most steps. It ends before if they no longer help.
    goal : float
        The misfit that is enough.
    """
    count = len(model)
    places, radii = model.places, model.radii
    now = waves(places, radii, points)
    scale, left = misfit(now.modulus, points)
    damping, small = _DAMPING, 0
    for _ in range(steps):
        if left <= goal or small == _PATIENCE:
            break
        change = step(now, radii, points, scale, damping)
        shift = change[: 2 * count].reshape(2, count).T
        tried = places + _within(shift, -_SHIFT * unit, _SHIFT * unit)
        growth = _within(change[2 * count : 3 * count], -_GROWTH * unit, _GROWTH * unit)
        tried_radii = _within(radii + growth, _SMALLEST * unit, _LARGEST * unit)
        new = waves(tried, tried_radii, points)
        new_scale, new_left = misfit(new.modulus, points)
        small = small + 1 if new_left > _SMALL * left else 0
        if new_left < left:
            places, radii, now, scale, left = tried, tried_radii, new, new_scale, new_left
            damping = max(damping * _LESS, _LEAST)
        else:
            damping = min(damping * _MORE, _MOST)
    return Model(places, radii, scale, left)


def significance(model: Model, points: Points) -> Floats:
    """Return each body's amplitude over its standard deviation, (T,).

    The residual's weights must be 1 over the standard deviation of what is fitted.
    """
    count = len(model)
    found = waves(model.places, model.radii, points)
    normal, _ = normal_equations(found, model.radii, points, model.scale)
    diagonal = normal.diagonal()
    root = np.sqrt(np.maximum(diagonal, 1e-12 * diagonal.max()))
    scaled = normal / root[:, None] / root
    # Moving all bodies changes nothing, so some of it is not determined.
    variance = np.linalg.inv(scaled + 1e-6 * np.eye(len(scaled))).diagonal() / root**2
    deviation = np.sqrt(np.maximum(variance[2 * count : 3 * count], 1e-30))
    sigmas: Floats = model.radii / 2 / deviation
    return sigmas

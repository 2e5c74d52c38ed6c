"""Amplitudes of disks and their derivatives, on chosen points of k space.

The amplitude of a disk of radius R at r is ``π R² · 2 J1(kR)/(kR) · exp(-i k·r)``; π is left out,
since scales are projected out everywhere. J0 and J1 are read from a table.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy.special import j0, j1

Floats = NDArray[np.floating[Any]]

_FINENESS, _TABLE_END = 2048, 45


@attrs.frozen(eq=False)
class Points:
    """P points of k space and what was measured there.

    Parameters
    ----------
    k : array, (2, P)
        ky and kx.
    distance, measured, weight : array, (P,)
        Length of k, root of the intensity, and the weight of its residual.
    squared : bool
        Whether the intensity itself is fitted, whose mean noise does not change.
    noise : float
        The misfit that noise alone leaves.
    """

    k: Floats
    distance: Floats
    measured: Floats
    weight: Floats
    squared: bool = False
    noise: float = 0.0


@attrs.frozen(eq=False)
class Waves:
    """Each body's wave at each point, (T, P), the sum of all and its modulus, (P,)."""

    size: Floats
    slope: Floats
    cos: Floats
    sin: Floats
    real: Floats
    imaginary: Floats
    modulus: Floats


@lru_cache(maxsize=1)
def _table() -> tuple[Floats, Floats]:
    x = np.arange(_FINENESS * _TABLE_END) / _FINENESS
    form = np.where(x > 0, 2 * j1(x) / np.maximum(x, 1e-9), 1.0)
    return form.astype(np.float32), j0(x).astype(np.float32)


def _index(radii: Floats | np.float32, distance: Floats) -> NDArray[np.int32]:
    found: NDArray[np.int32] = (radii * np.float32(_FINENESS) * distance + np.float32(0.5)).astype(
        np.int32
    )
    return found


def form(radii: Floats | np.float32, distance: Floats) -> Floats:
    """Return R² 2 J1(kR)/(kR) for radii and lengths of k of shapes that fit."""
    found: Floats = _table()[0].take(_index(radii, distance), mode="clip") * radii**2
    return found


def waves(places: Floats, radii: Floats, points: Points) -> Waves:
    """Return the waves of bodies at (T, 2) with radii (T,)."""
    forms, slopes = _table()
    index = _index(radii[:, None], points.distance)
    size, slope = forms.take(index, mode="clip"), slopes.take(index, mode="clip")
    size *= (radii * radii)[:, None]
    slope *= (2 * radii)[:, None]
    phase = places @ points.k
    cos, sin = np.cos(phase), np.sin(phase, out=phase)
    real, imaginary = np.einsum("tp,tp->p", size, cos), -np.einsum("tp,tp->p", size, sin)
    return Waves(size, slope, cos, sin, real, imaginary, np.hypot(real, imaginary))


def misfit(modulus: Floats, points: Points) -> tuple[np.float32, float]:
    """Return the best scale of what is fitted and the share of it that is left over."""
    value = modulus * modulus if points.squared else modulus
    weighted, root = points.weight * value, points.weight * points.measured
    scale = np.float32((weighted @ root) / max(float(weighted @ weighted), 1e-20))
    left = scale * weighted - root
    return scale, float(left @ left) / max(float(root @ root), 1e-20)

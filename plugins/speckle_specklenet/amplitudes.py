"""Amplitudes of disks and their derivatives, on chosen points of k space.

The amplitude of a disk of radius R at r is ``π R² · 2 J1(kR)/(kR) · exp(-i k·r)``; π is left out,
since scales are projected out everywhere. J1 is interpolated in a table, whose error of some 1e-6
is that of 32-bit phases; of J0, which only derivatives need, the nearest value is enough.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy.special import j0, j1

Floats = NDArray[np.floating[Any]]

_FINENESS, _TABLE_END = 512, 45


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
    """Each body's wave at each point, (T, P), the sum of all and its modulus, (P,).

    `size` is the amplitude of a body, `index` where its derivative is in the table.
    """

    size: Floats
    index: NDArray[np.int32]
    cos: Floats
    sin: Floats
    real: Floats
    imaginary: Floats
    modulus: Floats


@lru_cache(maxsize=1)
def _table() -> tuple[Floats, Floats, Floats]:
    """Return 2 J1(x)/x, its differences, and J0 in the middle between two of its places."""
    x = np.arange(_FINENESS * _TABLE_END + 1) / _FINENESS
    form = np.where(x > 0, 2 * j1(x) / np.maximum(x, 1e-9), 1.0)
    slope = j0(x[:-1] + 0.5 / _FINENESS)
    return form[:-1].astype(np.float32), np.diff(form).astype(np.float32), slope.astype(np.float32)


def _forms(radii: Floats, distance: Floats) -> tuple[Floats, NDArray[np.int32]]:
    """Return R² 2 J1(kR)/(kR) and the places in the table."""
    forms, differences, _ = _table()
    place = (radii * np.float32(_FINENESS)) * distance
    index = place.astype(np.int32)
    place -= index
    place *= differences.take(index, mode="clip")
    place += forms.take(index, mode="clip")
    place *= radii * radii
    return place, index


def form(radius: np.float32, distance: Floats) -> Floats:
    """Return R² 2 J1(kR)/(kR) for a radius and lengths of k."""
    return _forms(np.asarray(radius, dtype=np.float32), distance)[0]


def waves(places: Floats, radii: Floats, points: Points) -> Waves:
    """Return the waves of bodies at (T, 2) with radii (T,)."""
    size, index = _forms(radii[:, None], points.distance)
    phase = places @ points.k
    cos, sin = np.cos(phase), np.sin(phase, out=phase)
    real, imaginary = np.einsum("tp,tp->p", size, cos), -np.einsum("tp,tp->p", size, sin)
    modulus = np.sqrt(real * real + imaginary * imaginary)
    return Waves(size, index, cos, sin, real, imaginary, modulus)


def slopes(found: Waves, radii: Floats) -> Floats:
    """Return the derivatives of the amplitudes by the radii, 2 R J0(kR), (T, P)."""
    slope = _table()[2].take(found.index, mode="clip")
    slope *= (2 * radii)[:, None]
    return slope


def misfit(modulus: Floats, points: Points) -> tuple[np.float32, float]:
    """Return the best scale of what is fitted and the share of it that is left over."""
    value = modulus * modulus if points.squared else modulus
    weighted, root = points.weight * value, points.weight * points.measured
    scale = np.float32((weighted @ root) / max(float(weighted @ weighted), 1e-20))
    left = scale * weighted - root
    return scale, float(left @ left) / max(float(root @ root), 1e-20)

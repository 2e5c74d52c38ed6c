"""The difference synthesis: where bodies are missing from a model.

What is transformed is measured minus computed amplitude, with the computed phase. A body that the
model lacks appears with half its height.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speckle_specklenet.amplitudes import form
from speckle_specklenet.leastsquares import Model
from speckle_specklenet.plane import Half
from speckle_specklenet.superposition import separate

Floats = NDArray[np.floating[Any]]

#: Largest k and width of the weight, in units of the half distance.
_BAND, _WIDTH = 2.0, 0.8
#: Half the window in units of half the period, its pixels for each pixel of k.
_WINDOW, _FINENESS = 0.608, 1.0
#: Distance between peaks, and that of a new body from the rim of a known one, in mean radii.
_APART, _RIM, _GAP = 1.0, 0.7, 0.2


@lru_cache(maxsize=8)
def _window(band: int) -> tuple[Floats, Floats, int, float]:
    """Return exp(i ky y), exp(i kx x), the index of 0, and the pixel, for k up to a band."""
    middle = math.ceil(_WINDOW * _FINENESS * band)
    pixel = _WINDOW * math.pi / middle
    axis = np.arange(-middle, middle + 1) * pixel
    k = np.arange(-band, band + 1)
    waves = np.exp(1j * np.outer(axis, k)).astype(np.complex64)
    return np.ascontiguousarray(waves[:, band:]), np.ascontiguousarray(waves.T), middle, pixel


def difference(half: Half, model: Model) -> tuple[Floats, float]:
    """Return the map about the middle of a structure, (y, x), and its pixel [1 / k step].

    1 is the height of a missing body of the mean radius.
    """
    plane, unit = half.plane, half.half_distance
    band = plane.band(_BAND * unit)
    columns = slice(plane.reach - band, plane.reach + band + 1)
    k = plane.distance[: band + 1, columns]
    weight = np.sqrt(k) * np.exp(k * k * np.float32(-0.5 / (_WIDTH * unit) ** 2))
    weight *= half.known[: band + 1, columns] * (k <= _BAND * unit)
    ky, kx = np.arange(band + 1, dtype=np.float32), np.arange(-band, band + 1, dtype=np.float32)
    rows = np.exp(-1j * np.outer(model.places[:, 0], ky)).astype(np.complex64)
    across = np.exp(-1j * np.outer(model.places[:, 1], kx)).astype(np.complex64)
    amplitude = np.zeros(k.shape, dtype=np.complex64)
    for radius, y, x in zip(model.radii, rows, across, strict=True):
        amplitude += form(radius, k) * (y[:, None] * x)
    modulus = np.abs(amplitude)
    scale = np.sqrt(model.scale) if half.pairs is not None else model.scale
    measured = np.sqrt(half.intensity[: band + 1, columns]) / scale
    amplitude *= weight * (measured - modulus) / np.maximum(modulus, 1e-9)
    down, right, _, pixel = _window(band)
    lines = amplitude @ right
    map_ = down.real @ lines.real - down.imag @ lines.imag
    one = float((weight * form(np.float32(half.radius), k)).sum()) / 2
    return map_ / one, pixel


def missing(half: Half, model: Model, count: int) -> tuple[Floats, Floats, float]:
    """Return the highest peaks clear of known bodies, and the deviation of the map.

    Returns
    -------
    heights : array, (count,)
        Descending, and -1 where there is none.
    places : array, (count, 2)
        (y, x) [1 / k step].
    deviation : float
        Standard deviation of the heights of the map.
    """
    map_, pixel = difference(half, model)
    unit = half.radius
    found = separate(map_, count, _APART * unit / pixel)
    places = (found[:, 1:] - len(map_) // 2) * np.float32(pixel)
    apart = np.hypot(*(places[:, None] - model.places).transpose(2, 0, 1))
    clear = (apart - _RIM * model.radii).min(axis=1, initial=np.inf) > _GAP * unit
    heights = np.where(clear, found[:, 0], np.float32(-1))
    order = np.argsort(-heights, kind="stable")
    return heights[order], places[order], float(map_.std())

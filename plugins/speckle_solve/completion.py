"""Bodies that a structure lacks, and bodies that it should not have.

What is missing shows in a difference synthesis, as in crystallography: the transform of measured
minus computed amplitude with the computed phase. Each of its peaks is a body to try; what the body
would gain follows from the same sums.
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_solve.amplitudes import form_factors, misfits, waves
from speckle_solve.maps import peaks, summit
from speckle_solve.pixels import Pixels
from speckle_solve.refine import Candidates
from speckle_solve.scene import Scene

Floats = NDArray[np.floating[Any]]

# Radii of a new body that are tried, and of which maps are made, in mean radii.
_TRIED = np.geomspace(0.12, 2.2, 12)
_COARSE, _FINE = (0.7,), (0.15, 0.7)
# Peaks looked at of each map, down to this share of the highest.
_PEAKS, _LOWEST = 8, 0.15
# Bodies smaller than this share of the mean radius scatter less than rounding leaves.
_LEAST_SIZE = 1e-3


@attrs.frozen(eq=False)
class Missing:
    """Bodies to add, best first, and by how much of R² each should lower it."""

    centers: Floats
    parameters: Floats
    gains: Floats


@attrs.frozen(eq=False)
class Difference:
    """What measured amplitudes have beyond computed ones, on P pixels.

    Parameters
    ----------
    inside : array, (P,)
        Numbers of the pixels among all known ones.
    turned : array, (P,), complex
        Such that Re Σ F* turned exp(i k·r) is half the slope of the criterion in the share of a
        new body with form factor F at r.
    curve : array, (P,)
        Half of Σ F² curve is half its curvature, phases taken as random.
    """

    inside: NDArray[np.intp]
    turned: NDArray[np.complexfloating[Any, Any]]
    curve: Floats


def difference(
    scene: Scene, centers: Floats, parameters: Floats, limit: float, *, exact: bool = False
) -> Difference:
    """Return the difference in R² on pixels up to k = `limit` [1/length].

    With `exact` the amplitudes are float64: what is left may be 1e-6 of what was measured.
    """
    inside = np.flatnonzero(scene.distance <= limit)
    amplitude: Any
    if exact:
        amplitude = scene.exact.amplitude(centers, parameters)[inside]
        pixels = scene.pixels.take(inside)
    else:
        pixels = scene.pixels.take(inside, np.float32)
        value, _ = form_factors(scene.shape, scene.table, parameters.astype(np.float32), pixels)
        cos, sin = waves(centers.astype(np.float32), pixels)
        amplitude = np.einsum("np,np->p", value, cos) - 1j * np.einsum("np,np->p", value, sin)
    size, square = np.abs(amplitude), pixels.weight**2
    scale = float((square * size) @ pixels.root / ((square * size) @ size))
    total = float((square * pixels.root) @ pixels.root)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = square * (pixels.root - scale * size) * (scale / total) / size
    turned = np.where(size > 0, share, 0) * amplitude
    return Difference(inside, turned, square * (scale**2 / total))


def missing(
    scene: Scene, centers: Floats, parameters: Floats, left: Difference, *, fine: bool = False
) -> Missing:
    """Return the bodies to add to those given so that less is `left`.

    `centers` (n, 2) are about the middle of the window. With `fine` a second map looks for bodies
    far smaller than the mean.
    """
    pixels = scene.pixels.take(left.inside, np.float32)
    places = _places(scene, left, pixels, centers, parameters, fine)
    tried = scene.shape.start(scene.size.radius * _TRIED)
    if len(places) == 0:
        return Missing(places, tried[:0], np.empty(0))
    forms, _ = form_factors(scene.shape, scene.table, tried.astype(np.float32), pixels)
    cos, sin = waves(places.astype(np.float32), pixels)
    real = np.asarray(left.turned.real, np.float32)
    imaginary = np.asarray(left.turned.imag, np.float32)
    slope = (forms * real) @ cos.T - (forms * imaginary) @ sin.T  # (radii, places)
    norm = 0.5 * (forms**2 @ left.curve.astype(np.float32))[:, None]
    gains = 2 * slope - norm
    best = np.argmax(gains, axis=0)
    gain = gains[best, np.arange(len(places))].astype(np.float64)
    # A body smaller than any tried scatters like the smallest, by its share of F(0).
    parameters = tried[best]
    faint = gain <= 0
    if faint.any():
        share = np.clip(slope[0] / norm[0], 1e-8, 1.0).astype(np.float64)
        radius = scene.size.radius * _TRIED[0] * np.sqrt(share)
        parameters[faint] = scene.shape.start(radius[faint])
        gain[faint] = (slope[0] ** 2 / norm[0])[faint] * (slope[0] > 0)[faint]
    order = np.argsort(-gain, kind="stable")
    return Missing(places[order], parameters[order], gain[order])


def _places(
    scene: Scene,
    left: Difference,
    pixels: Pixels,
    centers: Floats,
    parameters: Floats,
    fine: bool,
) -> Floats:
    """Return the peaks (m, 2) of difference maps outside the known bodies [length]."""
    half: Any = np.zeros(scene.half.known.shape, dtype=np.complex64)
    known = np.flatnonzero(scene.half.known)
    k = np.hypot(pixels.kx, pixels.ky)
    window, sizes = scene.window, scene.shape.sizes(parameters)
    axis = window.first + window.pixel * np.arange(window.size)
    low, high = centers.max(axis=0) - scene.box, centers.min(axis=0) + scene.box
    xs, ys = (
        slice(*np.searchsorted(axis, [low[i] - window.pixel, high[i] + window.pixel]))
        for i in (0, 1)
    )
    found = []
    for radius in _FINE if fine else _COARSE:
        start = scene.shape.start(np.array([radius * scene.size.radius]))
        forms, _ = form_factors(scene.shape, scene.table, start.astype(np.float32), pixels)
        half.ravel()[known[left.inside]] = left.turned * forms[0] * np.exp(-((k / k.max()) ** 2))
        values = window.map(half)[ys, xs]
        for (x, y), size in zip(centers, sizes, strict=True):
            columns, rows = _near(axis[xs], x, size), _near(axis[ys], y, size)
            there = np.hypot(axis[xs][columns] - x, axis[ys][rows][:, None] - y) < size
            values[rows, columns][there] = 0
        for y, x in peaks(values, _PEAKS, _LOWEST * float(values.max())):
            at_y, at_x = summit(values, int(y), int(x))
            found.append((axis[xs][0] + at_x * window.pixel, axis[ys][0] + at_y * window.pixel))
    return np.array(found).reshape(-1, 2)


def _near(axis: Floats, place: float, reach: float) -> slice:
    return slice(*np.searchsorted(axis, [place - reach, place + reach]))


def chosen(scene: Scene, found: Missing, least: float, most: int, share: float) -> NDArray[Any]:
    """Return which of `found` to add: clear of each other and worth at least `least` of R²."""
    sizes = scene.shape.sizes(found.parameters)
    kept: list[int] = []
    for i, gain in enumerate(found.gains):
        if gain < max(least, share * found.gains[0]) or len(kept) == most:
            break
        gaps = [np.hypot(*(found.centers[i] - found.centers[j])) for j in kept]
        if all(d > sizes[i] + sizes[j] for d, j in zip(gaps, kept, strict=True)):
            kept.append(i)
    return np.array(kept, dtype=np.intp)


def losses(scene: Scene, centers: Floats, parameters: Floats, pixels: Pixels) -> Floats:
    """Return by how much R² on `pixels` rises when each body is left out, (n,)."""
    n = len(centers)
    dtype = pixels.kx.dtype
    value, _ = form_factors(scene.shape, scene.table, parameters.astype(dtype), pixels)
    cos, sin = waves(centers.astype(dtype), pixels)
    real, imaginary = value * cos, value * sin
    size = np.hypot(real.sum(axis=0) - real, imaginary.sum(axis=0) - imaginary) * pixels.weight
    measured = pixels.root * pixels.weight
    squared = np.einsum("np,np->n", size, size)
    with np.errstate(divide="ignore", invalid="ignore"):
        left = 1 - np.where(squared > 0, (size @ measured) ** 2 / squared, 0) / (
            measured @ measured
        )
    whole, _ = misfits(
        scene.shape,
        scene.table,
        centers[None].astype(dtype),
        parameters[None].astype(dtype),
        pixels,
    )
    return np.asarray(left - whole[0], dtype=np.float64).reshape(n)


def pruned(
    scene: Scene, candidate: Candidates, pixels: Pixels, least: float
) -> tuple[Floats, Floats]:
    """Return the bodies (centers, parameters) of a single candidate that are worth their place.

    Dropped are bodies without extent, the smaller of two that overlap by more than a third, and
    those whose loss raises R² by less than `least` of itself.
    """
    centers, parameters = candidate.bodies()
    sizes = scene.shape.sizes(parameters)
    keep = sizes > _LEAST_SIZE * scene.size.radius
    order = np.argsort(-sizes, kind="stable")
    for rank, i in enumerate(order):
        for j in order[:rank]:
            apart = np.hypot(*(centers[i] - centers[j]))
            if keep[j] and apart < sizes[j] + sizes[i] - 2 * sizes[i] / 3:
                keep[i] = False
    centers, parameters = centers[keep], parameters[keep]
    if len(centers) > 1:
        cost = losses(scene, centers, parameters, pixels)
        needed = cost > least * float(candidate.misfit[0])
        if needed.any():
            centers, parameters = centers[needed], parameters[needed]
    return centers, parameters

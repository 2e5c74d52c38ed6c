"""The last digits: refinement in float64, and the faint bodies that only it can see."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_solve.completion import chosen, difference, losses, missing
from speckle_solve.growth import centred
from speckle_solve.refine import Candidates, refine
from speckle_solve.scene import REACHES, Scene

Floats = NDArray[np.floating[Any]]

_LAST = len(REACHES) - 1
_ROUNDS = 8
#: A model is at the level of its noise within this factor of R; the roundings of a pattern are
#: neither quite uniform nor quite independent. What our own float64 leaves is below `_OURS`.
WITHIN, _OURS = 4.0, 3e-9
# BIC's price of a body holds for Gaussian noise. Roundings are not, and ghosts have paid it two or
# three times; the faintest body of any set tried pays it a million times.
_DOUBT = 100.0
# Two equal disks depend on the difference of their radii by its square: steps then only halve it.
_STEPS = 60
# Above the level of noise a body is kept if R² rises by this factor without it: a raster's steps or
# another small flaw of the model is fitted by ghosts, each of which gains a factor of two to ten.
_WORTH = 30.0
# As long as others may be missing it is kept for less: each of them alone gains little.
_USEFUL = 1.1
# R² so small that a body missing would be fainter than any found is more likely a flaw.
_SMALL = 1e-5
# No refinement of the others makes up for a body that costs this many times the misfit.
_HEAVY = 1e4
# What leaving a body out costs is only known to the rounding of R² itself.
_FELT = 1e-12


@attrs.frozen(eq=False)
class Polished:
    """A structure refined to the end.

    Parameters
    ----------
    centers, parameters : array, (n, 2) and (n, p)
        The bodies.
    misfit : float
        R² over all known pixels.
    scale : float
        c of c|A| ≈ √I.
    """

    centers: Floats
    parameters: Floats
    misfit: float
    scale: float


def floor(scene: Scene) -> float:
    """Return the R² below which a model counts as exact."""
    return float((WITHIN * np.sqrt(scene.noise) + _OURS) ** 2)


def polish(scene: Scene, start: Candidates, most: int) -> Polished:
    """Return `start` refined in float64, with faint bodies added and ghosts taken away."""
    current = _refined(scene, *start.bodies())
    for _ in range(_ROUNDS):
        if current.misfit <= floor(scene) or len(current.centers) >= most:
            break
        left = difference(scene, current.centers, current.parameters, np.inf, exact=True)
        found = missing(scene, current.centers, current.parameters, left, fine=True)
        add = chosen(scene, found, 0.05 * current.misfit, most - len(current.centers), 0.1)
        if len(add) == 0:
            break
        grown = _refined(
            scene,
            np.concatenate([current.centers, found.centers[add]]),
            np.concatenate([current.parameters, found.parameters[add]]),
        )
        grown = _without_ghosts(scene, grown, _USEFUL)
        if grown.misfit > (0.8 if current.misfit > _SMALL else 0.4) * current.misfit:
            break
        current = grown
    return _without_ghosts(scene, current, _WORTH)


def _refined(scene: Scene, centers: Floats, parameters: Floats) -> Polished:
    pixels = scene.subset(_LAST, len(centers), np.float64)
    fitted = refine(
        centred(centers, parameters),
        scene.shape,
        None,
        pixels,
        iterations=_STEPS,
        tolerance=0.02,
        patience=4,
    )
    centers, parameters = fitted.bodies()
    return judged(scene, centers, parameters)


def judged(scene: Scene, centers: Floats, parameters: Floats) -> Polished:
    """Return a structure as it is, with its R² over all pixels."""
    size = np.abs(scene.exact.amplitude(centers, parameters)) * scene.pixels.weight
    measured = scene.pixels.root * scene.pixels.weight
    scale = float(size @ measured / (size @ size))
    rest = scale * size - measured
    return Polished(centers, parameters, float(rest @ rest / (measured @ measured)), scale)


def _without_ghosts(scene: Scene, current: Polished, factor: float) -> Polished:
    """Return `current` without the bodies that it fits as well without.

    A model at the level of noise keeps what pays BIC's price, and more; one above it, whatever
    lowers R² by this `factor`.
    """
    pixels = len(scene.pixels)
    price = _DOUBT * scene.noise * scene.parameters(1) * np.log(pixels) / pixels
    while len(current.centers) > 1:
        cost = losses(
            scene,
            current.centers,
            current.parameters,
            scene.subset(_LAST, len(current.centers), np.float64),
        )
        least = int(np.argmin(cost))
        if cost[least] > max(_HEAVY * current.misfit, _FELT):
            break
        kept = np.arange(len(cost)) != least
        fewer = _refined(scene, current.centers[kept], current.parameters[kept])
        exact = current.misfit <= floor(scene)
        worth = max(price, _OURS**2) if exact else (factor - 1) * current.misfit
        if fewer.misfit - current.misfit > worth:
            break
        current = fewer
    return current

"""A structure as it is handed out: in one gauge, with its errors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speckle_core import Configuration, Solution
from speckle_solve.scene import Scene
from speckle_solve.verdict import Verdict

Floats = NDArray[np.floating[Any]]


def gauge(centers: Floats, weight: Floats, box: float) -> tuple[Floats, NDArray[np.intp]]:
    """Return centres in the standard gauge, and the order of the bodies.

    The middle of the extent is the middle of the box. Of structure and inverse the one is taken
    whose third moment along x (if that is nothing, along y) is negative; bodies are ordered by x.
    """
    middle = 0.5 * (centers.max(axis=0) + centers.min(axis=0))
    relative = centers - middle
    moment = float(weight @ relative[:, 0] ** 3)
    if abs(moment) < 1e-9 * float(weight @ np.abs(relative[:, 0]) ** 3):
        moment = float(weight @ relative[:, 1] ** 3)
    sign = -1.0 if moment > 0 else 1.0
    placed = sign * relative + 0.5 * box
    return placed, np.lexsort((placed[:, 1], placed[:, 0]))


def deviations(hessian: Floats, bodies: int, variance: float) -> Floats:
    """Return standard deviations of all parameters from a normal matrix, (m,).

    Its first rows are x, then y of all `bodies`. To move all of them alike changes nothing; that
    is taken out, so that errors of positions are those about the bodies' centroid.
    """
    together = np.zeros((len(hessian), 2))
    together[:bodies, 0] = together[bodies : 2 * bodies, 1] = bodies**-0.5
    stiff = max(float(np.trace(hessian[: 2 * bodies, : 2 * bodies])) / (2 * bodies), 1e-300)
    held = hessian + stiff * together @ together.T
    diagonal = np.diag(held)
    # What the scale's projection leaves of a parameter that matters nothing may be below 0.
    least = 1e-15 * float(np.abs(diagonal).max()) + np.finfo(np.float64).tiny
    root = np.sqrt(np.maximum(diagonal, least))
    inverse = np.linalg.pinv(held / np.outer(root, root), rcond=1e-13, hermitian=True)
    inverse /= np.outer(root, root)
    spread = np.diag(inverse) - np.sum(together**2, axis=1) / stiff
    out: Floats = np.sqrt(np.maximum(spread, 0.0) * variance)
    return out


def answer(scene: Scene, verdict: Verdict, starts: int, seconds: float) -> Solution:
    """Return what is handed out for a `verdict`."""
    shape, level = scene.shape, scene.half.level
    sizes = shape.sizes(verdict.parameters)
    placed, order = gauge(verdict.centers, sizes**2, scene.box)
    sigma = deviations(verdict.hessian, len(placed), verdict.variance)
    sigma = sigma.reshape(2 + len(shape.names), -1)[:, order]
    particles = shape.build(placed[order], verdict.parameters[order])
    return Solution(
        configuration=Configuration(particles, scene.box),
        scale=verdict.scale**2 * level.unit,
        offset=level.offset,
        residual=math.sqrt(verdict.misfit),
        noise_residual=math.sqrt(scene.noise),
        solved=verdict.solved,
        explained=verdict.explained,
        errors=(dict(zip(("x", "y", *shape.names), sigma, strict=True)),),
        starts=starts,
        seconds=seconds,
        deviances=verdict.scores,
        noise=level.noise,
        faintest=verdict.faintest,
    )

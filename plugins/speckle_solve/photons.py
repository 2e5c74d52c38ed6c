"""Counts: the likelihood of a structure, and how many bodies the counts ask for.

Deviance D = 2 Σ [μ - N + N log(N/μ)]; a body has three parameters (of a disk) and must lower
D by 3 log(pixels) to be kept (Schwarz, Ann. Stat. 6, 461, 1978: BIC).
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlogy

from speckle_solve.amplitudes import Linear, fisher, form_factors, waves
from speckle_solve.completion import Difference, chosen, missing
from speckle_solve.growth import centred
from speckle_solve.pixels import Pixels
from speckle_solve.refine import descend
from speckle_solve.scene import Scene

Floats = NDArray[np.floating[Any]]

# Steps end where the deviance falls by less than 0.03 on 30,000 pixels.
_TOLERANCE = 1e-6
# What a body must be expected to gain before it is tried, and to cost before it is not, as shares
# of the price of a body: without refinement of the others both are only roughly known.
_HOPEFUL, _SAFE = 0.4, 12.0
# Bodies added or removed at most: a right structure lacks a few.
_MOST_CHANGES = 20


@attrs.frozen(eq=False)
class Counted:
    """A structure refined to the greatest likelihood.

    Parameters
    ----------
    centers, parameters : array, (n, 2) and (n, p)
        The bodies.
    deviance : float
        D over all known pixels.
    scale : float
        c of c²|A|² ≈ counts over exposure.
    """

    centers: Floats
    parameters: Floats
    deviance: float
    scale: float


@attrs.frozen(eq=False)
class Photons:
    """All known pixels of a pattern of counts, float32.

    Parameters
    ----------
    scene : Scene
        The pattern.
    pixels : Pixels
        Where they are.
    counts, exposure : array, (P,)
        What was counted, and over how many exposures.
    """

    scene: Scene
    pixels: Pixels
    counts: Floats
    exposure: Floats

    @classmethod
    def of(cls, scene: Scene) -> Photons:
        """Return the counts of `scene`."""
        half = scene.half
        every = np.arange(len(scene.pixels))
        return cls(
            scene,
            scene.pixels.take(every, np.float32),
            half.intensity[half.known].astype(np.float32),
            half.exposure[half.known].astype(np.float32),
        )

    @property
    def price(self) -> float:
        """What one body must gain in deviance."""
        return self.scene.parameters(1) * float(np.log(len(self.counts)))

    def score(self, model: Counted) -> float:
        """Return deviance plus price, which the best number of bodies makes least."""
        return model.deviance + len(model.centers) * self.price

    def linear(self, centers: Floats, parameters: Floats) -> Linear:
        """Return the normal equations of candidates."""
        scene = self.scene
        return fisher(
            scene.shape, scene.table, centers, parameters, self.pixels, self.counts, self.exposure
        )

    def refined(self, centers: Floats, parameters: Floats, iterations: int = 12) -> Counted:
        """Return the structure refined from there."""
        best = descend(
            centred(centers, parameters),
            self.scene.shape,
            self.linear,
            dtype=np.float32,
            iterations=iterations,
            tolerance=_TOLERANCE,
        )
        there, shapes = best.bodies()
        return Counted(there, shapes, float(best.misfit[0]), float(best.scale[0]))

    def _each(self, model: Counted) -> tuple[Floats, Floats]:
        """Return real and negative imaginary part of each body's amplitude, (n, P)."""
        scene = self.scene
        value, _ = form_factors(
            scene.shape, scene.table, model.parameters.astype(np.float32), self.pixels
        )
        cos, sin = waves(model.centers.astype(np.float32), self.pixels)
        return value * cos, value * sin

    def losses(self, model: Counted) -> Floats:
        """Return by how much the deviance rises when a body is left out, (n,)."""
        real, imaginary = self._each(model)
        left = (real.sum(axis=0) - real) ** 2 + (imaginary.sum(axis=0) - imaginary) ** 2
        left *= self.exposure
        total = float(self.counts.sum(dtype=np.float64))
        mu = left * (total / np.maximum(left.sum(axis=1, keepdims=True), 1e-30)).astype(left.dtype)
        ratio = np.maximum(mu, 1e-9) / np.maximum(self.counts, 1)
        without = -2 * np.sum(xlogy(self.counts, ratio), axis=1, dtype=np.float64)
        return np.asarray(without - model.deviance)

    def difference(self, model: Counted) -> Difference:
        """Return what the counts have beyond the model, in units of deviance."""
        real, imaginary = (part.sum(axis=0) for part in self._each(model))
        square = np.float32(model.scale**2)
        mu = np.maximum(square * self.exposure * (real**2 + imaginary**2), 1e-9)
        # Where hardly anything is expected one count must not outweigh all others.
        spread = np.maximum(mu, 0.25)
        amplitude = real - 1j * imaginary
        slope = 2 * square * self.exposure * (self.counts - mu) / spread
        curve = 4 * (square * self.exposure) ** 2 * (real**2 + imaginary**2) / spread
        every = np.arange(len(self.counts))
        return Difference(every, slope * amplitude, curve)

    def faintest(self, model: Counted) -> float:
        """Return the bounding radius [length] of a body whose gain would just pay its price."""
        radii = self.scene.size.radius * np.geomspace(0.02, 2.0, 60)
        forms, _ = form_factors(
            self.scene.shape,
            self.scene.table,
            self.scene.shape.start(radii).astype(np.float32),
            self.pixels,
        )
        gain = 2 * model.scale**2 * (forms**2 @ self.exposure)
        return float(np.interp(self.price, gain, radii))


def ordered(photons: Photons, start: Counted, most: int) -> tuple[Counted, dict[int, float]]:
    """Return the best model near `start`, and the score of the best one of each n met."""
    best = start
    scores = {len(start.centers): photons.score(start)}

    def met(model: Counted) -> bool:
        nonlocal best
        n, score = len(model.centers), photons.score(model)
        scores[n] = min(score, scores.get(n, np.inf))
        if score < photons.score(best):
            best = model
            return True
        return False

    for _ in range(_MOST_CHANGES):
        if _shrunk(photons, best, met) or _grown(photons, best, met, most):
            continue
        break
    return best, scores


def _shrunk(photons: Photons, best: Counted, met: Any) -> bool:
    """Try the model without its least useful body; say whether that is better."""
    n = len(best.centers)
    if n < 2:
        return False
    losses = photons.losses(best)
    for body in np.argsort(losses)[:2]:
        kept = np.arange(n) != body
        if losses[body] > _SAFE * photons.price:
            # Not worth a refinement, but it tells what one body less would cost at most.
            return False
        if met(photons.refined(best.centers[kept], best.parameters[kept])):
            return True
    return False


def _grown(photons: Photons, best: Counted, met: Any, most: int) -> bool:
    """Try the model with what its difference shows; say whether that is better."""
    if len(best.centers) >= most:
        return False
    found = missing(
        photons.scene, best.centers, best.parameters, photons.difference(best), fine=True
    )
    add = chosen(photons.scene, found, _HOPEFUL * photons.price, 3, 0.2)
    # All at once if each is expected to pay for itself, else one by one.
    paying = add[found.gains[add] > 1.5 * photons.price]
    tries = ([paying] if len(paying) > 1 else []) + [add[i : i + 1] for i in range(len(add))]
    for bodies in tries:
        model = photons.refined(
            np.concatenate([best.centers, found.centers[bodies]]),
            np.concatenate([best.parameters, found.parameters[bodies]]),
        )
        if met(model):
            return True
    return False


def surprise(photons: Photons, model: Counted) -> float:
    """Return by how many standard deviations the deviance exceeds what counting leaves."""
    real, imaginary = (part.sum(axis=0) for part in photons._each(model))
    mu = model.scale**2 * photons.exposure * (real**2 + imaginary**2)
    at = np.log(np.clip(mu, 1e-6, 200.0))
    grid, mean, variance = _deviance_of_counts()
    expected = float(np.sum(np.interp(at, grid, mean)))
    spread = float(np.sum(np.interp(at, grid, variance)))
    free = model.parameters.size + model.centers.size
    return float((model.deviance - (expected - free)) / np.sqrt(max(spread, 1.0)))


def _deviance_of_counts() -> tuple[Floats, Floats, Floats]:
    """Return log μ, and mean and variance of the deviance of one count of that expectation."""
    mu = np.geomspace(1e-6, 200.0, 80)
    n = np.arange(0, 400)[:, None]
    chance = np.exp(xlogy(n, mu) - mu - gammaln(n + 1))
    deviance = 2 * (mu - n + xlogy(n, np.maximum(n, 1) / mu))
    mean = np.sum(chance * deviance, axis=0)
    variance = np.sum(chance * deviance**2, axis=0) - mean**2
    return np.log(mu), mean, variance

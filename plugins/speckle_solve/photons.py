"""Counts: the likelihood of a structure, and what one more body must gain.

Deviance D = 2 Σ [μ - N + N log(N/μ)]. A body of p parameters fitted to noise alone lowers D by a
χ² of p degrees of freedom, and of all places the best is taken: as many as there are pixels. BIC's
3 log(pixels) (Schwarz, Ann. Stat. 6, 461, 1978) is paid by noise in one pattern of fifty.
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri, xlogy

from speckle_solve.amplitudes import Linear, fisher, form_factors, waves
from speckle_solve.completion import Difference
from speckle_solve.growth import centred
from speckle_solve.pixels import Pixels
from speckle_solve.refine import descend
from speckle_solve.scene import Scene

Floats = NDArray[np.floating[Any]]

# Steps end where the deviance falls by less than 0.03 on 30,000 pixels.
_TOLERANCE = 1e-6
# A body is taken for real when noise would feign it in one pattern of so many.
_FEIGNED = 1e-4
# Deviance below which one structure is no better than another.
_BETTER = 0.5
# Standard deviations by which a body must exceed its price to be found in any case.
_SURELY = 4.0


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

    def chance(self, probability: float) -> float:
        """Return the gain in deviance that noise offers one more body with this probability."""
        return float(chdtri(self.scene.parameters(1), probability / len(self.counts)))

    @property
    def price(self) -> float:
        """What one body must gain in deviance."""
        return self.chance(_FEIGNED)

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

    def freed(self, model: Counted) -> Counted:
        """Return the better of `model` and what it becomes when refined anew from low k outwards.

        With few photons a body can rest one fringe of high k beside its place.
        """
        scene, n = self.scene, len(model.centers)
        current = model
        for rung in scene.rungs(n)[1:-1]:
            inside = np.flatnonzero(scene.distance <= scene.limit(rung))
            part = attrs.evolve(
                self,
                pixels=self.pixels.take(inside, np.float32),
                counts=self.counts[inside],
                exposure=self.exposure[inside],
            )
            current = part.refined(current.centers, current.parameters)
        if current is model:
            return model
        current = self.refined(current.centers, current.parameters)
        return current if current.deviance < model.deviance - _BETTER else model

    def each(self, model: Counted) -> tuple[Floats, Floats]:
        """Return real and negative imaginary part of each body's amplitude, (n, P)."""
        scene = self.scene
        value, _ = form_factors(
            scene.shape, scene.table, model.parameters.astype(np.float32), self.pixels
        )
        cos, sin = waves(model.centers.astype(np.float32), self.pixels)
        return value * cos, value * sin

    def losses(self, model: Counted) -> Floats:
        """Return by how much the deviance rises when a body is left out, (n,)."""
        real, imaginary = self.each(model)
        left = (real.sum(axis=0) - real) ** 2 + (imaginary.sum(axis=0) - imaginary) ** 2
        left *= self.exposure
        total = float(self.counts.sum(dtype=np.float64))
        mu = left * (total / np.maximum(left.sum(axis=1, keepdims=True), 1e-30)).astype(left.dtype)
        ratio = np.maximum(mu, 1e-9) / np.maximum(self.counts, 1)
        without = -2 * np.sum(xlogy(self.counts, ratio), axis=1, dtype=np.float64)
        return np.asarray(without - model.deviance)

    def difference(self, model: Counted) -> Difference:
        """Return what the counts have beyond the model, in units of deviance."""
        real, imaginary = (part.sum(axis=0) for part in self.each(model))
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
        """Return the bounding radius [length] of the smallest body that could not be missed.

        The root of a gain has a standard deviation of about 1 (S. S. Wilks, Ann. Math. Stat. 9, 60,
        1938).
        """
        radii = self.scene.size.radius * np.geomspace(0.02, 2.0, 60)
        forms, _ = form_factors(
            self.scene.shape,
            self.scene.table,
            self.scene.shape.start(radii).astype(np.float32),
            self.pixels,
        )
        gain = 2 * model.scale**2 * (forms**2 @ self.exposure)
        sure = (np.sqrt(self.price) + _SURELY) ** 2
        return float(np.interp(sure, gain, radii))

"""Whether a structure is the answer: by its residual, or with photon noise by its likelihood."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_solve.amplitudes import linearize
from speckle_solve.claims import resolved, surprise, unseen
from speckle_solve.order import Order, ordered
from speckle_solve.photons import Photons
from speckle_solve.polish import floor, judged, polish
from speckle_solve.refine import Candidates
from speckle_solve.scene import REACHES, Scene

Floats = NDArray[np.floating[Any]]

_LAST = len(REACHES) - 1
# R² below which tables in float32 have nothing more to say and float64 takes over.
_ROUGH = 1e-6
# Wrong structures leave R above 0.1; below 3e-3 only faint bodies or a flaw of the model are left.
_NEARLY = 1e-5
# Growing may stop at this many times the R² of the counting noise; likelihood does the rest.
_NEAR_NOISE = 1.15
# Bodies may overlap by this share of the smaller one's size, which noise alone can feign.
_OVERLAP = 0.15
# The number of bodies is settled for structures below this many times the noise's R², and this
# much more for faint bodies that are still missing; others are wrong.
_ORDERED, _NEARBY = 2.0, 0.05
# A deviance by chance: one pattern in three million.
_SURPRISING = 5.0
# The number of bodies is clear if what one more would gain is nothing rarer in noise than this,
# and if each of those there gains this many times its price.
_USUAL, _CLEAR = 0.05, 1.5
# More bodies too faint to show are expected than this: the number may not be what was found.
_HIDDEN = 1e-3


@attrs.frozen(eq=False)
class Verdict:
    """A structure refined to the end, and what to think of it.

    Parameters
    ----------
    centers, parameters : array, (n, 2) and (n, p)
        The bodies.
    explained : bool
        Whether it explains the pattern, and its visible bodies are surely all and none too many.
    solved : bool
        Whether there are surely no others either.
    close : bool
        Whether few other starts are worth a look: what is left is a small flaw of the model, or a
        doubt.
    worse : float
        What to compare two verdicts by: the less the better.
    misfit, scale : float
        R² and c of c|A| ≈ √I.
    hessian, variance : array and float
        Normal matrix and the variance that its inverse is multiplied by.
    scores : mapping
        Criterion of the best model of each number of bodies met.
    faintest : float
        Radius of the smallest body that would show [length].
    """

    centers: Floats
    parameters: Floats
    explained: bool
    solved: bool
    close: bool
    worse: float
    misfit: float
    scale: float
    hessian: Floats
    variance: float
    scores: Mapping[int, float]
    faintest: float


def overlapping(centers: Floats, sizes: Floats) -> bool:
    """Say whether any two bodies overlap.

    Bodies do not; but with photon noise overlapping ones imitate a body of another shape, which
    must not pass as a solution. Without noise the residual alone tells.
    """
    apart = np.hypot(*(centers[:, None] - centers).transpose(2, 0, 1))
    touching = sizes[:, None] + sizes
    least = _OVERLAP * np.minimum(sizes[:, None], sizes)
    pairs = np.triu_indices(len(sizes), 1)
    return bool(np.any((touching - apart > least)[pairs]))


def _neighbours(scores: Mapping[int, float], n: int, price: float, loss: float) -> dict[int, float]:
    """Return `scores` with bounds for n - 1 and n + 1 where neither was tried.

    One body more costs its price and was not expected to gain it; one less costs its loss.
    """
    out = dict(scores)
    out.setdefault(n + 1, out[n] + price)
    if n > 1:
        out.setdefault(n - 1, out[n] - price + loss)
    return out


class Judge(Protocol):
    """What ends a search.

    `goal` is the R² at which growing stops.
    """

    goal: float

    def verdict(self, candidate: Candidates, most: int) -> Verdict:
        """Return the end of one grown `candidate`."""
        ...


class Exactness:
    """Without photon noise: a right structure is right down to rounding, a wrong one is far off."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.goal = max(_ROUGH, 1.5 * scene.noise)

    def verdict(self, candidate: Candidates, most: int) -> Verdict:
        """Return the candidate refined in float64."""
        scene = self.scene
        best = polish(scene, candidate, most)
        n = len(best.centers)
        pixels = scene.subset(_LAST, n, np.float64)
        state = linearize(scene.shape, None, best.centers[None], best.parameters[None], pixels)
        measured = float(np.sum((pixels.root * pixels.weight) ** 2))
        every = len(scene.pixels)
        # The misfit as variance of a pixel; all pixels tell more than those of the subset.
        variance = best.misfit * measured / every
        exact = best.misfit <= floor(scene)
        score = every * np.log(best.misfit) + n * scene.parameters(1) * np.log(every)
        return Verdict(
            best.centers,
            best.parameters,
            exact,
            exact,
            best.misfit < _NEARLY,
            best.misfit,
            best.misfit,
            best.scale,
            state.hessian[0],
            variance,
            _neighbours({n: float(score)}, n, scene.parameters(1) * np.log(every), np.inf),
            0.0,
        )


class Counting:
    """With photon noise: deviance, and what a body must gain."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.photons = Photons.of(scene)
        self.goal = max(_ROUGH, _NEAR_NOISE * scene.noise)

    def verdict(self, candidate: Candidates, most: int) -> Verdict:
        """Return the most likely model near the candidate."""
        scene, photons = self.scene, self.photons
        best = photons.freed(photons.refined(*candidate.bodies()))
        near = bool(candidate.misfit[0] < _ORDERED * scene.noise + _NEARBY)
        # With few photons a structure may fit for all that deviates from the roots of counts.
        near = near or surprise(photons, best) < _SURPRISING
        order = ordered(photons, best, most) if near else Order.of(photons, best)
        freed = photons.freed(order.best) if near else order.best
        if freed is not order.best:
            order = ordered(photons, freed, most)
        best = order.best
        state = photons.linear(
            best.centers[None].astype(np.float32), best.parameters[None].astype(np.float32)
        )
        sizes, faintest = scene.shape.sizes(best.parameters), photons.faintest(best)
        fits = (
            near
            and surprise(photons, best) < _SURPRISING
            and not overlapping(best.centers, sizes)
            and resolved(state.hessian[0], best.parameters, photons.price)
        )
        explained = fits and self._clear(order)
        losses = photons.losses(best)
        return Verdict(
            best.centers,
            best.parameters,
            explained,
            explained and unseen(sizes, faintest) < _HIDDEN,
            fits,
            photons.score(best),
            judged(scene, best.centers, best.parameters).misfit,
            best.scale,
            state.hessian[0],
            1.0,
            _neighbours(order.scores, len(best.centers), photons.price, float(losses.min())),
            faintest,
        )

    def _clear(self, order: Order) -> bool:
        """Say whether no other number of bodies may be the right one."""
        price, usual = self.photons.price, self.photons.chance(_USUAL)
        more, fewer = order.leads()
        return more > price - usual and fewer > (_CLEAR - 1) * price

"""From places in a Patterson map to disks that explain the pattern, in a fixed number of stages.

Each stage refines places and radii on random pixels up to some k; before all but the first, missing
bodies are added or needless ones left out. The random pixels are the same for all patterns of one
scale.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_specklenet.amplitudes import Points
from speckle_specklenet.centre import Pairs
from speckle_specklenet.difference import missing
from speckle_specklenet.leastsquares import Model, refine, significance
from speckle_specklenet.plane import Half, Plane
from speckle_specklenet.stages import (
    ALIKE_STAGES,
    COUNTED_ALIKE,
    COUNTED_UNLIKE,
    UNLIKE_STAGES,
    Stage,
)

Floats = NDArray[np.floating[Any]]

#: The misfit of a pattern that is explained, and that of rounding: between the two a body may be
#: missing that is smaller than all others.
EXPLAINED, ROUNDING = 1e-7, 2e-11
#: Share of its first misfit that the right structure falls below in the first two stages.
_HOPELESS = 0.3
#: Bodies smaller than this share of the mean radius are dropped.
_TINY = 0.004
#: Bodies smaller than this are left out if the pattern is explained without them.
_SMALL = 0.12
#: A first misfit below this has no body missing that shows yet.
_CLOSE = 1e-4
#: Weakest ring as a share of the strongest: in dark rings a residual says little.
_DARKEST = 2e-3
#: Error of a counted intensity beside its noise, as a share of the azimuthal mean.
_INEXACT = 0.03
#: Peaks looked at in a difference synthesis.
PEAKS = 8
#: Least height of a new body over the root of the misfit, its bounds, and least radius.
_HEIGHT, _LOWEST, _LEAST = 0.5, 1e-5, 0.01
#: For radii from heights of peaks: width of the weight times the mean radius.
_REACH = 1.57
#: Equal disks are refined from radii that differ by this share: two that are exactly equal look the
#: same whichever is made larger, so least squares would leave them equal.
_UNLIKE = 0.04


#: Misfit of an explained counted pattern over that of noise; deviations of a body that is sure, and
#: most rounds of leaving out others.
_NOISE, _SIGMAS, _ROUNDS = 1.2, 4.5, 3


@lru_cache(maxsize=4)
def _by_distance(size: int) -> tuple[NDArray[np.intp], Floats, Floats]:
    """Return the pixels of a plane by their distance: indices, k (2, n) and distances (n,)."""
    plane = Plane.of(size)
    distance = plane.distance.ravel()
    order = np.argsort(distance, kind="stable")
    order = order[(plane.once.ravel()[order] > 0) & (distance[order] <= plane.reach)]
    y, x = np.divmod(order, size)
    return order, np.stack([y, x - plane.reach]).astype(np.float32), distance[order]


@lru_cache(maxsize=16)
def _shares(number: int, pixels: int) -> Floats:
    return np.random.default_rng(number).random(pixels)


@lru_cache(maxsize=1)
def _curve() -> tuple[Floats, Floats]:
    trial = np.linspace(0.05, 2.2, 200)
    height = trial**2 / (_REACH**-2 + trial**2 / 4) ** 1.5 * (_REACH**-2 + 0.25) ** 1.5
    return trial, np.maximum.accumulate(height)


def radii_from(heights: Floats) -> Floats:
    """Return radii, in mean radii, of bodies with these relative heights in a weighted map."""
    trial, curve = _curve()
    index = np.searchsorted(curve, heights / heights[heights > 0.5].mean())
    found: Floats = trial[np.minimum(index, len(trial) - 1)]
    return found


def unlike(radii: Floats) -> Floats:
    """Return radii that differ a little from each other."""
    found: Floats = radii * (1 + _UNLIKE * np.cos(2.4 * np.arange(len(radii))))
    return found


@attrs.frozen(eq=False)
class Grown:
    """A model after all stages.

    Parameters
    ----------
    model : Model
        The disks.
    misfits : tuple of float
        After every stage; fewer than there are stages if the pattern is explained before.
    missing : array, (PEAKS,)
        Heights of the last difference synthesis; 0 for an explained pattern.
    explained : bool
        Whether nothing of the pattern is left to explain.
    """

    model: Model
    misfits: tuple[float, ...]
    missing: Floats
    explained: bool


class Refinement:
    """Refines models of one pattern.

    Parameters
    ----------
    half : Half
        The pattern.
    bodies : int
        Most bodies of a model.
    """

    def __init__(self, half: Half, bodies: int) -> None:
        self.half, self.bodies = half, bodies
        self.counted = half.pairs is not None
        self.stages: tuple[Stage, ...]
        if self.counted:
            self.stages = COUNTED_ALIKE if half.alike else COUNTED_UNLIKE
        else:
            self.stages = ALIKE_STAGES if half.alike else UNLIKE_STAGES
        self._points: dict[int, Points] = {}

    def _weight(self, pixels: NDArray[np.intp]) -> Floats:
        half = self.half
        square = half.spread(pixels) + _DARKEST * half.profile.max()
        found: Floats = half.known.ravel()[pixels] / np.sqrt(square)
        return found

    def points(self, number: int) -> Points:
        """Return the pixels of a stage."""
        if number not in self._points:
            self._points[number] = self._chosen(number)
        return self._points[number]

    def _chosen(self, number: int) -> Points:
        stage, half = self.stages[number], self.half
        order, k, distance = _by_distance(half.plane.size)
        count = np.searchsorted(distance, stage.band * half.half_distance, side="right")
        index = (_shares(number, stage.pixels) * count).astype(np.intp)
        pixel = order[index]
        k = np.ascontiguousarray(k[:, index])
        if half.pairs is not None and half.variance is not None:
            return self._paired(pixel, k, half.pairs, half.variance)
        measured = np.sqrt(half.intensity.ravel()[pixel])
        return Points(k, distance[index], measured, self._weight(pixel))

    def _paired(self, pixel: NDArray[np.intp], k: Floats, pairs: Pairs, variance: Floats) -> Points:
        k = k - pairs.shift[:, None].astype(np.float32)
        distance, rings = np.hypot(*k), np.arange(len(variance))
        inexact = _INEXACT * np.interp(distance, rings, self.half.profile)
        square = np.maximum(np.interp(distance, rings, variance) + inexact**2, 1e-20)
        measured = pairs.mean.ravel()[pixel]
        weight = (pairs.known.ravel()[pixel] / np.sqrt(square)).astype(np.float32)
        whole = float(((weight * measured) ** 2).sum())
        noise = float((weight > 0).sum()) / max(whole, 1e-20)
        return Points(k, distance, measured, weight, squared=True, noise=noise)

    def stage(self, model: Model, number: int, goal: float = EXPLAINED) -> Model:
        """Return a model after one stage, which ends at the misfit `goal`; not of counts."""
        steps, goal = self.stages[number].steps, 0.0 if self.counted else goal
        return refine(model, self.points(number), self.half.radius, steps, goal)

    def misfit(self, model: Model, number: int) -> float:
        """Return the misfit of a model after a stage; of counts, over what noise would leave."""
        if not self.counted:
            return model.left
        points = self.points(number)
        free = len(points.weight) - 3 * len(model)
        return model.left / max(points.noise * max(free / len(points.weight), 0.1), 1e-20)

    def grown(self, model: Model) -> Grown:
        """Return a model of the first stage after the others.

        One that explains the pattern is refined on down to rounding, without the bodies that it
        does not need; what is left over then is a body smaller than all others.
        """
        misfits = [self.misfit(model, 0)]
        heights = np.zeros(PEAKS, dtype=np.float32)
        goal = EXPLAINED
        for number in range(1, len(self.stages)):
            explained = not self.counted and model.left <= EXPLAINED
            if not self.counted and (model.left <= ROUNDING or self._hopeless(misfits)):
                break
            if explained and goal == EXPLAINED:
                model = self._pruned(model, number - 1)
            # So good a start may only need more steps.
            elif number > 1 or model.left > _CLOSE:
                heights, places, deviation = missing(self.half, model, PEAKS)
                least = _SIGMAS * deviation if self.counted else _HEIGHT * np.sqrt(model.left)
                model = self._completed(model, heights, places, float(least), number - 1)
            goal = ROUNDING if explained else EXPLAINED
            model = self.stage(model, number, goal)
            misfits.append(self.misfit(model, number))
        explained = misfits[-1] <= (_NOISE if self.counted else EXPLAINED)
        if self.counted:
            model = self._sure(model)
        elif explained:
            heights = np.zeros_like(heights)
            enough = EXPLAINED if goal == EXPLAINED else max(model.left, ROUNDING)
            model = self._pruned(model, len(misfits) - 1, enough)
        return Grown(model, tuple(misfits), heights, explained)

    def _sure(self, model: Model) -> Model:
        """Return a model of counts without the bodies that may be noise."""
        last = len(self.stages) - 1
        points = self.points(last)
        for _ in range(_ROUNDS):
            sure = significance(model, points) > _SIGMAS
            if sure.all() or not sure.any():
                break
            model = self.stage(model.part(sure), last)
        return model

    def _hopeless(self, misfits: list[float]) -> bool:
        """Return whether two stages brought a model no nearer."""
        return len(misfits) > 2 and misfits[-1] > _HOPELESS * misfits[0] > EXPLAINED

    def _pruned(self, model: Model, number: int, enough: float = EXPLAINED) -> Model:
        """Return a model that explains the pattern without the bodies that it does not need.

        All small ones are left out at once, or else one after the other.
        """
        small = self._small(model)
        tried = len(small)
        while tried:
            rest = np.delete(np.arange(len(model)), small[:tried])
            fewer = self.stage(model.part(rest), number)
            if fewer.left <= enough:
                model, small = fewer, self._small(fewer)
            elif tried == 1:
                break
            tried = min(len(small), 1)
        return model

    def _small(self, model: Model) -> NDArray[np.intp]:
        order = np.argsort(model.radii, kind="stable")[: len(model) - 1]
        found: NDArray[np.intp] = order[model.radii[order] <= _SMALL * self.half.radius]
        return found

    def _completed(
        self, model: Model, heights: Floats, places: Floats, least: float, number: int
    ) -> Model:
        """Return a model without its tiny bodies and with the highest missing ones."""
        stage, unit = self.stages[number], self.half.radius
        kept = model.radii > _TINY * unit
        least = float(np.clip(least, _LOWEST, stage.least))
        added = 1 if model.left <= EXPLAINED else stage.added
        room = max(min(added, self.bodies - int(kept.sum())), 0)
        new = np.flatnonzero(heights[:room] > least)
        # The difference shows half of a body's amplitude.
        size = unit * np.maximum(np.sqrt(np.minimum(2 * heights[new], 1)), _LEAST)
        return Model(
            np.concatenate([model.places[kept], places[new]]).astype(np.float32),
            np.concatenate([model.radii[kept], size]).astype(np.float32),
        )

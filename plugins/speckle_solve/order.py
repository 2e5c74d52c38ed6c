"""How many bodies counts ask for: bodies are taken away and added while the criterion falls."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_solve.completion import chosen, missing
from speckle_solve.photons import Counted, Photons

Floats = NDArray[np.floating[Any]]

# What a body must be expected to gain before it is tried, and to cost before it is not, as shares
# of the price of a body: without refinement of the others both are only roughly known.
_HOPEFUL, _SAFE = 0.4, 12.0
# Two bodies may be one if the gap between them is less than this share of their radii's sum.
_TOUCHING = 0.1
# Bodies added or removed at most: a right structure lacks a few.
_MOST_CHANGES = 20


@attrs.define(eq=False)
class Order:
    """The best model so far, and the score of the best one of each number of bodies met."""

    photons: Photons
    best: Counted
    scores: dict[int, float] = attrs.field(factory=dict)

    @classmethod
    def of(cls, photons: Photons, model: Counted) -> Order:
        """Return the order of a single model."""
        return cls(photons, model, {len(model.centers): photons.score(model)})

    def met(self, model: Counted) -> bool:
        """Take note of a `model`, and say whether it is better than all before."""
        n, score = len(model.centers), self.photons.score(model)
        better = score < self.photons.score(self.best)
        self.scores[n] = min(score, self.scores.get(n, np.inf))
        if better:
            self.best = model
        return better

    def leads(self) -> tuple[float, float]:
        """Return by how much the best score is below those of more bodies, and of fewer."""
        n = len(self.best.centers)
        more = [score for number, score in self.scores.items() if number > n]
        fewer = [score for number, score in self.scores.items() if number < n]
        here = self.scores[n]
        return min(more, default=np.inf) - here, min(fewer, default=np.inf) - here


def ordered(photons: Photons, start: Counted, most: int) -> Order:
    """Return the best model near `start`, and what was met on the way."""
    order = Order.of(photons, start)
    for _ in range(_MOST_CHANGES):
        if not (_shrunk(order) or _merged(order) or _grown(order, most)):
            break
    return order


def _shrunk(order: Order) -> bool:
    """Try the model without its least useful body; say whether that is better."""
    photons, best = order.photons, order.best
    n = len(best.centers)
    if n < 2:
        return False
    losses = photons.losses(best)
    for body in np.argsort(losses)[:2]:
        kept = np.arange(n) != body
        if losses[body] > _SAFE * photons.price:
            # Not worth a refinement, but it tells what one body less would cost at most.
            return False
        if order.met(photons.refined(best.centers[kept], best.parameters[kept])):
            return True
    return False


def _merged(order: Order) -> bool:
    """Try one body for the two that lie closest, for their sizes; say whether that is better.

    A body found as two halves loses much with either of them, and gains nothing by both.
    """
    photons, best = order.photons, order.best
    shape, n = photons.scene.shape, len(best.centers)
    if n < 2:
        return False
    sizes = shape.sizes(best.parameters)
    first, second = np.triu_indices(n, 1)
    apart = np.hypot(*(best.centers[first] - best.centers[second]).T) - sizes[first] - sizes[second]
    nearest = int(np.argmin(apart))
    pair = [int(first[nearest]), int(second[nearest])]
    if apart[nearest] > _TOUCHING * sizes[pair].sum():
        return False
    others = np.delete(np.arange(n), pair)
    area = sizes[pair] ** 2
    center = area @ best.centers[pair] / area.sum()
    merged = photons.refined(
        np.concatenate([best.centers[others], center[None]]),
        np.concatenate([best.parameters[others], shape.start(np.sqrt(area.sum()))[None]]),
    )
    return order.met(merged)


def _grown(order: Order, most: int) -> bool:
    """Try the model with what its difference shows; say whether that is better."""
    photons, best = order.photons, order.best
    if len(best.centers) >= most:
        return False
    found = missing(
        photons.scene, best.centers, best.parameters, photons.difference(best), fine=True
    )
    add = chosen(
        photons.scene, found, _HOPEFUL * photons.price, min(3, most - len(best.centers)), 0.2
    )
    # All at once if each is expected to pay for itself, else one by one.
    paying = add[found.gains[add] > 1.5 * photons.price]
    tries = ([paying] if len(paying) > 1 else []) + [add[i : i + 1] for i in range(len(add))]
    for bodies in tries:
        model = photons.refined(
            np.concatenate([best.centers, found.centers[bodies]]),
            np.concatenate([best.parameters, found.parameters[bodies]]),
        )
        if order.met(model):
            return True
    return False

"""What may be claimed of a structure that counts were explained with."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, stdtr, xlogy

from speckle_solve.photons import Counted, Photons

Floats = NDArray[np.floating[Any]]


def surprise(photons: Photons, model: Counted) -> float:
    """Return by how many standard deviations the deviance exceeds what counting leaves."""
    real, imaginary = (part.sum(axis=0) for part in photons.each(model))
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


def resolved(hessian: Floats, parameters: Floats, least: float) -> bool:
    """Say whether the size of every body shows in the counts, and not only that it is there.

    A flat pattern is that of one body, however small. `hessian` is the normal matrix over
    [x of all, y of all, then each of the `parameters` (n, p) of all]; to scale a body's parameters
    must cost at least this much deviance.
    """
    n, several = parameters.shape
    shapes = hessian[2 * n :, 2 * n :].reshape(several, n, several, n)
    curvature = np.einsum("np,pnqn,nq->n", parameters, shapes, parameters)
    return bool(np.all(curvature > least))


def unseen(sizes: Floats, faintest: float) -> float:
    """Return how many bodies smaller than `faintest` go with those found, of `sizes` (n,).

    Sizes are taken as drawn from one normal distribution, of which those found are the sample, so
    that the next one has Student's distribution about their mean.
    """
    n = len(sizes)
    if n < 2:
        return np.inf
    spread = max(float(np.std(sizes, ddof=1)), 1e-12) * np.sqrt(1 + 1 / n)
    return float(n * stdtr(n - 1, (faintest - float(np.mean(sizes))) / spread))

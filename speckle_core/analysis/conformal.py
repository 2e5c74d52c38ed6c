"""Intervals with a stated coverage, from patterns that were not trained on.

Split conformal prediction (Vovk, Gammerman and Shafer 2005; Lei et al. 2018,
doi:10.1080/01621459.2017.1307116), scaled by the spread that a classifier expects of each pattern.
"""

from __future__ import annotations

import math

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def conformal_quantile(scores: Array, coverage: float) -> float:
    """Return the ⌈(N + 1) · coverage⌉-th smallest of ascending scores; infinite for too few."""
    # Rounded, or 0.9 · 10 would be a little above 9.
    rank = math.ceil(round((len(scores) + 1) * coverage, 9))
    return math.inf if rank > len(scores) else float(scores[rank - 1])


def patterns_needed(coverage: float) -> int:
    """Return from how many scores on `conformal_quantile` is finite: c / (1 - c), rounded up."""
    return math.ceil(round(coverage / (1 - coverage), 9))


@attrs.frozen(eq=False)
class Conformal:
    """What was learned from the values of `len(scores)` patterns.

    Parameters
    ----------
    scores : array, (N,)
        Distance of each value from the true one, divided by its spread, ascending.
    """

    scores: Array

    @classmethod
    def fit(cls, found: ArrayLike, truth: ArrayLike) -> Conformal:
        """Return what values and spreads (N, 2) and true values (N,) tell."""
        value, spread = np.asarray(found, dtype=np.float64).T
        return cls(np.sort(np.abs(value - np.asarray(truth)) / spread))

    def intervals(self, found: ArrayLike, coverage: float) -> Array:
        """Return lower and upper ends, (N, 2), for values and spreads (N, 2).

        The true value lies within for at least the share `coverage` of patterns that are drawn as
        those that this was learned from, on average over both draws. Infinite where those were too
        few.
        """
        value, spread = np.asarray(found, dtype=np.float64).T
        half = conformal_quantile(self.scores, coverage) * spread
        ends: Array = np.stack([value - half, value + half], axis=1)
        return ends

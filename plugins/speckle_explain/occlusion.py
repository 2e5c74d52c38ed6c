"""Occlusion: how much of the class score is lost when the speckle of a window is gone.

It asks the classifier for nothing but predictions, so it explains rules and refinements as well as
networks.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core import Classifier, FloatArray, IntArray, ModelError, SupportsValues
from speckle_explain.capabilities import at_least_one, batches

# Smallest probability that is told from 0.
_TINY = float(np.finfo(np.float64).tiny)

Window = tuple[slice, slice]


@attrs.frozen(kw_only=True)
class Occlusion:
    """Loss of score when the pixels of a window are replaced by their mean, window by window.

    ``M = (S(I) - S(I without the window)) / pixels of the window`` (after Zeiler and Fergus 2014,
    section 4.2, where windows are grey). S is the logarithm of the odds of the class, or the value
    that the classifier learned. The mean keeps the brightness of a window and takes its speckle, so
    positive windows speak for the class and negative ones against it. Pixels of the pattern's
    smallest value stay, since a beamstop has that value and shows no speckle.

    Parameters
    ----------
    windows : int
        Windows along each side. Each pattern is classified once for every window.
    batch_size : int
        Number of patterns passed to the classifier at a time.
    """

    windows: int = attrs.field(default=16, validator=at_least_one)
    batch_size: int = attrs.field(default=16, validator=at_least_one)

    def explain(
        self, classifier: Classifier, patterns: FloatArray, targets: IntArray
    ) -> FloatArray:
        """Return one map per pattern, (B, ny, nx), with sign; pixels of a window are equal."""
        parts = [
            self._map(classifier, some[0], int(target[0]))
            for some, target in batches(patterns, targets, 1)
        ]
        return np.stack(parts) if parts else np.zeros_like(patterns)

    def _map(self, classifier: Classifier, pattern: FloatArray, target: int) -> FloatArray:
        found, seen = np.zeros_like(pattern), pattern > pattern.min()
        windows = [w for w in _windows(pattern.shape, self.windows) if seen[w].any()]
        whole = _scores(classifier, pattern[None], target)[0]
        for first in range(0, len(windows), self.batch_size):
            some = windows[first : first + self.batch_size]
            hidden = np.repeat(pattern[None], len(some), axis=0)
            for copy, window in zip(hidden, some, strict=True):
                place, shown = copy[window], seen[window]
                place[shown] = place[shown].mean()
            left = _scores(classifier, hidden, target)
            for window, score in zip(some, left, strict=True):
                found[window] = (whole - score) / found[window].size
        return found


def _windows(shape: tuple[int, ...], number: int) -> Iterator[Window]:
    """Iterate over the windows: `number` along each side, fewer if there are not as many pixels."""
    sides = []
    for pixels in shape:
        edges = np.linspace(0, pixels, min(number, pixels) + 1).round().astype(int).tolist()
        sides.append([slice(first, last) for first, last in itertools.pairwise(edges)])
    yield from itertools.product(*sides)


def _scores(classifier: Classifier, patterns: FloatArray, target: int) -> NDArray[np.float64]:
    """Return the logarithm of the odds of a class, or the value that was learned, (B,)."""
    if isinstance(classifier, SupportsValues):
        try:
            return np.asarray(classifier.predict_values(patterns), dtype=np.float64)[:, 0]
        except ModelError:  # it learned classes
            pass
    rates = np.asarray(classifier.predict_proba(patterns), dtype=np.float64)
    # The sum of the others is exact where 1 - p would be rounded to 0.
    others = np.delete(rates, target, axis=1).sum(axis=1)
    odds = np.maximum(rates[:, target], _TINY) / np.maximum(others, _TINY)
    return np.asarray(np.log(odds))

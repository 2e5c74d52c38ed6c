"""The deletion curve: the accuracy of a classifier as the most attributed pixels are removed.

It tests a map with the classifier itself, in comparison with random pixels.
"""

from __future__ import annotations

from typing import Literal

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from speckle_core.analysis.azimuthal import azimuthal_fill
from speckle_core.contracts.arrays import FloatArray, IntArray
from speckle_core.contracts.capabilities import SupportsRegion
from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.roles import Classifier
from speckle_core.errors import DataError

Fill = Literal["azimuthal", "blocked"]
Array = NDArray[np.float64]

#: Default fractions of the pixels to replace.
FRACTIONS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0)


@attrs.frozen(eq=False)
class DeletionCurve:
    """Accuracy as pixels are replaced, most attributed first or in random order.

    If the map shows what the classifier uses, the first falls much sooner than the second.
    Fractions refer to the pixels that the classifier reads (`SupportsRegion`). All (fractions,).
    """

    fractions: Array
    most_attributed: Array
    random: Array


def deletion_curve(
    classifier: Classifier,
    patterns: FloatArray,
    targets: IntArray,
    maps: FloatArray,
    grid: KGrid,
    *,
    fractions: ArrayLike = FRACTIONS,
    fill: Fill = "azimuthal",
    seed: int = 0,
    batch_size: int = 32,
) -> DeletionCurve:
    """Return the accuracy of `classifier` as more and more pixels of `patterns` are replaced.

    After Samek et al. (2017, doi:10.1109/TNNLS.2016.2599820).

    Parameters
    ----------
    classifier : Classifier
        A fitted classifier.
    patterns, maps : array, (B, ny, nx)
        Prepared patterns, and the attribution of each pixel (its magnitude counts). Pixels of equal
        attribution are replaced in random order.
    targets : array of int, (B,)
        The correct column of `predict_proba` for each pattern.
    grid : KGrid
        Their grid.
    fractions : array
        Fractions, from 0 to 1, of the pixels that the classifier reads (`SupportsRegion`).
    fill : {"azimuthal", "blocked"}
        Replace by the pattern's azimuthal mean, which removes the speckle but keeps the profile;
        or by its smallest value, which removes both.
    seed : int
        Seed of the random orders.
    batch_size : int
        Number of patterns classified at a time.

    Raises
    ------
    DataError
        When there are no patterns, or not one target and one map for each.
    """
    if not len(patterns) == len(targets) == len(maps) > 0:
        raise DataError(
            f"{len(patterns)} patterns, {len(targets)} targets and {len(maps)} maps "
            "cannot make a deletion curve"
        )
    shares = np.asarray(fractions, dtype=np.float64)
    rng = np.random.default_rng(seed)
    hits = np.zeros((2, len(shares)))
    for start in range(0, len(patterns), batch_size):
        part = slice(start, start + batch_size)
        hits += hits_after_deletion(
            classifier, patterns[part], targets[part], maps[part], grid, shares, fill, rng
        )
    most, random = hits / len(patterns)
    return DeletionCurve(shares, most, random)


def region_of(classifier: Classifier, grid: KGrid) -> NDArray[np.bool_]:
    """Return which pixels of `grid` the classifier reads, (ny, nx), by default all."""
    if isinstance(classifier, SupportsRegion):
        return classifier.region(grid.shape)
    return np.ones(grid.shape, dtype=bool)


def hits_after_deletion(
    classifier: Classifier,
    patterns: FloatArray,
    targets: IntArray,
    maps: FloatArray,
    grid: KGrid,
    fractions: Array,
    fill: Fill,
    rng: np.random.Generator,
) -> Array:
    """Return how many patterns of a batch are still classified correctly, (2, fractions).

    The parameters are those of `deletion_curve`, for one batch; the first row replaces the most
    attributed pixels, the second random ones, drawn from `rng`.
    """
    if fill == "azimuthal":
        filling = azimuthal_fill(patterns, grid).astype(patterns.dtype)
    else:
        filling = np.broadcast_to(patterns.min(axis=(1, 2), keepdims=True), patterns.shape)
    read = region_of(classifier, grid)
    size = np.abs(maps[:, read])
    ranks = np.broadcast_to(np.arange(size.shape[1]), size.shape)
    random = rng.permuted(ranks, axis=1)
    by_map = np.empty_like(random)
    # Invert the sorting order into ranks: rank 0 is the most attributed pixel; ties are random.
    np.put_along_axis(by_map, np.lexsort((random, -size), axis=1), ranks, axis=1)
    hits = np.zeros((2, len(fractions)))
    for row, rank in enumerate((by_map, random)):
        for column, fraction in enumerate(fractions):
            gone = np.zeros(patterns.shape, dtype=bool)
            gone[:, read] = rank < round(fraction * size.shape[1])
            answer = classifier.predict_proba(np.where(gone, filling, patterns)).argmax(axis=1)
            hits[row, column] = np.sum(answer == targets)
    return hits

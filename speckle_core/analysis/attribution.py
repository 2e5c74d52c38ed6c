"""Analyse explainers' maps against k, to find out what a network uses.

A single map of a speckle pattern is hard to interpret. Its azimuthal mean over many patterns,
beside the mean intensity and the maps of a network with random weights, is not. Everything here
works on the magnitude of a map.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from speckle_core.analysis.azimuthal import azimuthal_mean, first_minimum, ring_k
from speckle_core.analysis.deletion import (
    FRACTIONS,
    DeletionCurve,
    Fill,
    hits_after_deletion,
    region_of,
)
from speckle_core.analysis.lattice import Lattice, lattice_of
from speckle_core.contracts.arrays import IntArray
from speckle_core.contracts.capabilities import SupportsRandomised
from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.patterns import PatternSet
from speckle_core.contracts.roles import Classifier, Explainer
from speckle_core.errors import DataError, PluginError

Array = NDArray[np.float64]


def attribution_density(maps: ArrayLike, region: NDArray[np.bool_] | None = None) -> Array:
    """Return each map's magnitude divided by its mean, (B, ny, nx): 1 everywhere for a flat map.

    The scale of a map varies from pattern to pattern; this gives every map the same weight. The
    mean is over the pixels of `region` (ny, nx), or over all. A map that is zero everywhere gives
    NaN.
    """
    size = np.abs(np.asarray(maps, dtype=np.float64))
    used = size[:, slice(None) if region is None else region]
    mean = used.reshape(len(size), -1).mean(axis=1)[:, None, None]
    density: Array = size / np.where(mean > 0, mean, np.nan)
    return density


def density_profiles(maps: ArrayLike, grid: KGrid, region: NDArray[np.bool_]) -> Array:
    """Return the azimuthal mean of each map's density over `region`, (B, rings)."""
    return azimuthal_mean(attribution_density(maps, region), grid, region=region)


def class_means(values: ArrayLike, labels: ArrayLike, classes: ArrayLike) -> Array:
    """Return the mean of `values` (B, …) over the patterns of each class, (classes, …).

    NaN values are ignored; a class without values gives NaN.
    """
    rows = np.asarray(values, dtype=np.float64)
    means = []
    for value in np.asarray(classes):
        own = rows[np.asarray(labels) == value]
        count = np.sum(~np.isnan(own), axis=0)
        means.append(np.nansum(own, axis=0) / np.where(count > 0, count, np.nan))
    return np.array(means)


def central_share(maps: ArrayLike, grid: KGrid, edge: ArrayLike) -> Array:
    """Return the fraction of each map's magnitude at k < `edge`, (B,).

    Parameters
    ----------
    maps : array, (B, ny, nx)
        Maps of an explainer. A map of ones gives the fraction of the pixels, for comparison.
    grid : KGrid
        Their grid.
    edge : float or array, (B,)
        Edge of the central lobe [1/length], as from `first_minimum`; NaN gives NaN.
    """
    size = np.abs(np.asarray(maps, dtype=np.float64))
    edges = np.broadcast_to(np.asarray(edge, dtype=np.float64), len(size))
    inside = grid.magnitude() < edges[:, None, None]
    total = size.sum(axis=(1, 2))
    defined = (total > 0) & ~np.isnan(edges)
    share: Array = np.sum(size * inside, axis=(1, 2)) / np.where(defined, total, np.nan)
    return share


def rank_correlation(maps: ArrayLike, others: ArrayLike) -> Array:
    """Return Spearman's correlation of the magnitudes of two maps (B, …), pattern by pattern, (B,).

    1 for maps that rank the pixels equally, 0 for unrelated ones, NaN where a map is constant. Pass
    only pixels that the classifier reads: all others are 0 in both maps and agree trivially.
    """
    ranks = []
    for images in (maps, others):
        size = np.abs(np.asarray(images, dtype=np.float64))
        ranked = stats.rankdata(size.reshape(len(size), -1), axis=1)
        ranks.append(ranked - ranked.mean(axis=1, keepdims=True))
    first, second = ranks
    norm = np.sqrt(np.sum(first**2, axis=1) * np.sum(second**2, axis=1))
    found: Array = np.sum(first * second, axis=1) / np.where(norm > 0, norm, np.nan)
    return found


def randomised(classifier: Classifier, *, seed: int) -> Classifier:
    """Return the control of `classifier`: the same network with random weights.

    Raises
    ------
    PluginError
        When the classifier cannot be randomised.
    """
    if not isinstance(classifier, SupportsRandomised):
        raise PluginError(
            f"the classifier {type(classifier).__name__} has no version with random weights, "
            "so there is no control for its maps",
            hint="Implement its method randomised (SupportsRandomised).",
        )
    return classifier.randomised(seed=seed)


@attrs.frozen(eq=False)
class Analysis:
    """What a classifier uses, for each class; undefined values are NaN.

    `intensity`, `attribution` and `control` are azimuthal means, (classes, rings), at the rings `k`
    [1/length]: of the raw patterns, of the density of their maps (1 for a flat map), and of the
    density for the network with random weights. `zeros` are the zeros of each class's form factor
    [1/length], (classes, most), padded with NaN. The following are (classes,): `edge`, the end of
    the central lobe [1/length], which is the first zero if known, else the first minimum of
    `intensity`; `share`, the fraction of the attribution inside it; `area`, the fraction of the
    pixels inside it; `agreement`, the mean rank correlation of the maps with the control's.
    `lattice` is the part of the mean map that repeats with the network's strides. Only pixels that
    the classifier reads (`SupportsRegion`) count; rings without any are NaN.
    """

    classes: IntArray
    k: Array
    intensity: Array
    attribution: Array
    control: Array
    zeros: Array
    edge: Array
    share: Array
    area: Array
    agreement: Array
    deletion: DeletionCurve
    lattice: Lattice


def analyse(
    explainer: Explainer,
    classifier: Classifier,
    patterns: PatternSet,
    *,
    zeros: Mapping[int, Array] | None = None,
    fractions: ArrayLike = FRACTIONS,
    fill: Fill = "azimuthal",
    seed: int = 0,
    batch_size: int = 32,
    advance: Callable[[int], object] | None = None,
) -> Analysis:
    """Analyse the maps of `explainer` for `classifier` and the true classes of `patterns`.

    Every pattern is explained twice (for the network and its control) and classified 2 ×
    `fractions` times, so use a subset of a large set. Memory grows by one profile per pattern.
    `zeros` are the zeros of each class's form factor, from `form_factor_zeros`; `advance` is called
    with the number of patterns of each batch that is done.

    Raises
    ------
    DataError
        For an empty set, or labels unknown to the classifier.
    PluginError
        When the classifier lacks a capability that the explainer needs.
    """
    grid, classes, labels = patterns.grid, classifier.classes, patterns.labels
    if not len(patterns) or not np.isin(labels, classes).all():
        raise DataError("the set is empty, or contains classes unknown to the classifier")
    has_control = isinstance(classifier, SupportsRandomised)
    control = randomised(classifier, seed=seed) if has_control else None
    read = region_of(classifier, grid)
    parts = np.array_split(np.arange(len(patterns)), -(-len(patterns) // batch_size))
    profiles = [azimuthal_mean(patterns.raw(part), grid) for part in parts]
    intensity = class_means(np.concatenate(profiles), labels, classes)
    known = _pad([(zeros or {}).get(int(value), np.empty(0)) for value in classes])
    minima = np.array([first_minimum(profile, ring_k(grid)) for profile in intensity])
    # The first zero of the form factor is exact; without one, take the profile's first minimum.
    edge = np.where(np.isnan(known[:, 0]), minima, known[:, 0])
    shares = np.asarray(fractions, dtype=np.float64)
    rng = np.random.default_rng(seed)
    hits = np.zeros((2, len(shares)))
    whole = [np.zeros(grid.shape), np.zeros(grid.shape)]
    found: dict[str, list[Array]] = {"density": [], "control": [], "share": [], "agreement": []}
    for part in parts:
        prepared, own = patterns.batch(part)
        columns = np.searchsorted(classes, own)
        maps = explainer.explain(classifier, prepared, columns)
        whole[0] += np.nansum(attribution_density(maps, read), axis=0)
        found["density"].append(density_profiles(maps, grid, read))
        found["share"].append(central_share(maps, grid, edge[columns]))
        # The control explains the same targets, so that only the learned weights differ.
        if control is not None:
            others = explainer.explain(control, prepared, columns)
            whole[1] += np.nansum(attribution_density(others, read), axis=0)
            found["control"].append(density_profiles(others, grid, read))
            found["agreement"].append(rank_correlation(maps[:, read], others[:, read]))
        hits += hits_after_deletion(classifier, prepared, columns, maps, grid, shares, fill, rng)
        if advance is not None:
            advance(len(part))

    def mean(name: str, like: Array) -> Array:
        if not found[name]:
            return np.full_like(like, np.nan)
        return class_means(np.concatenate(found[name]), labels, classes)

    return Analysis(
        classes=classes,
        k=ring_k(grid),
        intensity=intensity,
        attribution=mean("density", intensity),
        control=mean("control", intensity),
        zeros=known,
        edge=edge,
        share=mean("share", edge),
        area=central_share(np.broadcast_to(read, (len(edge), *grid.shape)), grid, edge),
        agreement=mean("agreement", edge),
        deletion=DeletionCurve(shares, *(hits / len(patterns))),
        lattice=lattice_of(_crop(whole[0], read), _crop(whole[1], read) if has_control else None),
    )


def _crop(image: Array, region: NDArray[np.bool_]) -> Array:
    """Return the smallest rectangle of `image` that contains the region."""
    rows, columns = (np.flatnonzero(region.any(axis=axis)) for axis in (1, 0))
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _pad(rows: Sequence[Array]) -> Array:
    """Return rows of any length as one array padded with NaN, (rows, longest, at least 1)."""
    table = np.full((len(rows), max(1, *map(len, rows))), np.nan)
    for row, values in zip(table, rows, strict=True):
        row[: len(values)] = values
    return table

"""What a network uses, in the physics' own terms: maps of explainers against k.

A single map over a speckle pattern is hard to read. Its azimuthal mean over many patterns, beside
the mean intensity and the map of a network with random weights, is not. Everything here works on
the magnitude of a map; nothing here draws, and nothing assumes a shape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.patterns import PatternSet
from speckle_core.contracts.powers import SupportsRandomised
from speckle_core.contracts.roles import Classifier, Explainer
from speckle_core.errors import DataError, PluginError

Array = NDArray[np.float64]


def attribution_density(maps: ArrayLike, region: NDArray[np.bool_] | None = None) -> Array:
    """Return each map's magnitude over its mean, (B, ny, nx): 1 everywhere for an even map.

    Maps of one network differ in scale from pattern to pattern; this makes them count alike. The
    mean is over the pixels of `region` (ny, nx), or over all. A map that is zero everywhere has no
    density: NaN.
    """
    size = np.abs(np.asarray(maps, dtype=np.float64))
    counted = size[:, slice(None) if region is None else region]
    mean = counted.reshape(len(size), -1).mean(axis=1)[:, None, None]
    density: Array = size / np.where(mean > 0, mean, np.nan)
    return density


def density_profiles(maps: ArrayLike, grid: KGrid, region: NDArray[np.bool_]) -> Array:
    """Return the azimuthal mean of each map's density, both over `region`, (B, rings)."""
    return azimuthal_mean(attribution_density(maps, region), grid, region=region)


def class_means(values: ArrayLike, labels: ArrayLike, classes: ArrayLike) -> Array:
    """Return the mean of `values` (B, …) over the patterns of each class, (classes, …).

    NaN is left out; a class without any value has NaN.
    """
    rows = np.asarray(values, dtype=np.float64)
    means = []
    for value in np.asarray(classes):
        own = rows[np.asarray(labels) == value]
        count = np.sum(~np.isnan(own), axis=0)
        means.append(np.nansum(own, axis=0) / np.where(count > 0, count, np.nan))
    return np.array(means)


def central_share(maps: ArrayLike, grid: KGrid, edge: ArrayLike) -> Array:
    """Return the share of each map's magnitude where k < `edge`, (B,).

    Parameters
    ----------
    maps : array, (B, ny, nx)
        Maps of an explainer. A map of ones gives the share of the pixels, to compare with.
    grid : KGrid
        Their grid.
    edge : float or array, (B,)
        Edge of the central lobe [1/length], as `first_minimum` gives it; NaN gives NaN.
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

    1 for maps that order the pixels alike, 0 for unrelated ones, NaN where a map is constant. Give
    only pixels that the classifier reads: maps agree trivially where neither can be anything but 0.
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
    """Return the control: `classifier` with random weights.

    Raises
    ------
    PluginError
        When the classifier cannot be randomised.
    """
    if not isinstance(classifier, SupportsRandomised):
        raise PluginError(
            f"the classifier {type(classifier).__name__} gives no network with random weights, "
            "so its maps have no control",
            hint="Give it the method randomised (SupportsRandomised).",
        )
    return classifier.randomised(seed=seed)


@attrs.frozen(eq=False)
class Analysis:
    """What a classifier uses, class by class; NaN where there is nothing to say.

    `intensity`, `attribution` and `control` are azimuthal means, (classes, rings), over the rings
    at `k` [1/length]: of the raw patterns, of the density of their maps (1 is even), and of the
    density for the network with random weights. `zeros` are those of each class's form factor
    [1/length], (classes, most), NaN where a class has fewer. `edge` is where the class's central
    lobe ends [1/length]: the first zero where one is known, else the first minimum of `intensity`;
    `share` the share of attribution inside and `area` the share of the pixels there;
    `agreement` is the mean rank correlation of the maps with the control's: all four (classes,).
    `lattice` is what of the mean map repeats with the network's strides. Maps are judged on the
    pixels that the classifier reads (`SupportsRegion`) and on no others; rings without any have
    NaN.
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
) -> Analysis:
    """Return what `classifier` uses to tell the true class of `patterns`, as `explainer` has it.

    Every pattern is explained twice (the network and its control) and classified 2 × `fractions`
    times, so give a subset of a large set. Memory grows by a profile per pattern, not by a pattern.
    `zeros` are those of each class's form factor, as `form_factor_zeros` gives them.

    Raises
    ------
    DataError
        For an empty set, or a label that the classifier does not know.
    PluginError
        When the classifier lacks the power that the explainer needs.
    """
    grid, classes, labels = patterns.grid, classifier.classes, patterns.labels
    if not len(patterns) or not np.isin(labels, classes).all():
        raise DataError("the set is empty, or holds classes that the classifier does not know")
    able = isinstance(classifier, SupportsRandomised)
    blind = randomised(classifier, seed=seed) if able else None
    read = region_of(classifier, grid)
    parts = np.array_split(np.arange(len(patterns)), -(-len(patterns) // batch_size))
    profiles = [azimuthal_mean(patterns.raw(part), grid) for part in parts]
    intensity = class_means(np.concatenate(profiles), labels, classes)
    known = _padded([(zeros or {}).get(int(value), np.empty(0)) for value in classes])
    minima = np.array([first_minimum(profile, ring_k(grid)) for profile in intensity])
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
        if blind is not None:
            others = explainer.explain(blind, prepared, columns)
            whole[1] += np.nansum(attribution_density(others, read), axis=0)
            found["control"].append(density_profiles(others, grid, read))
            found["agreement"].append(rank_correlation(maps[:, read], others[:, read]))
        hits += hits_after_deletion(classifier, prepared, columns, maps, grid, shares, fill, rng)

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
        lattice=lattice_of(_inside(whole[0], read), _inside(whole[1], read) if able else None),
    )


def _inside(image: Array, region: NDArray[np.bool_]) -> Array:
    """Return the smallest rectangle of `image` that holds the region."""
    rows, columns = (np.flatnonzero(region.any(axis=axis)) for axis in (1, 0))
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _padded(rows: Sequence[Array]) -> Array:
    """Return rows of any length as one array, (rows, longest and at least 1), NaN at the end."""
    table = np.full((len(rows), max(1, *map(len, rows))), np.nan)
    for row, values in zip(table, rows, strict=True):
        row[: len(values)] = values
    return table

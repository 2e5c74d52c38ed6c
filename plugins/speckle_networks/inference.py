"""Inference with a trained network: probabilities, gradients and feature maps.

Arrays are NumPy arrays, processed in batches that fit into memory and cropped to what the network
reads. The network is not changed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from speckle_core import IntArray
from speckle_networks.feed import View
from speckle_networks.framework import SPREADS, Floats, Network
from speckle_networks.recipe import Standard


def _scores(network: Network, patterns: Floats, view: View) -> NDArray[np.float64]:
    targets = np.zeros(len(patterns), dtype=np.int64)
    (scores,) = _in_batches(
        lambda values, _: (network.scores(values),), network, patterns, targets, view, memory=1
    )
    return scores.astype(np.float64)


def values(
    network: Network, patterns: Floats, view: View, standard: Standard
) -> NDArray[np.float64]:
    """Return value and spread, (B, 2), of patterns (B, ny, nx)."""
    scores = _scores(network, patterns, view)
    spreads = np.exp(np.clip(scores[:, 1], *SPREADS))
    found = np.stack([standard.mean + standard.spread * scores[:, 0], standard.spread * spreads])
    return np.ascontiguousarray(found.T)


def probabilities(network: Network, patterns: Floats, view: View) -> NDArray[np.float64]:
    """Return class probabilities, (B, classes), of patterns (B, ny, nx)."""
    scores = _scores(network, patterns, view)
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    found: NDArray[np.float64] = odds / odds.sum(axis=1, keepdims=True)
    return found


def input_gradients(
    network: Network, patterns: Floats, targets: IntArray, view: View, *, guided: bool
) -> Floats:
    """Return d score[target] / d pattern, (B, ny, nx); 0 for pixels that are not read."""

    def compute(values: Floats, columns: IntArray) -> tuple[Floats]:
        return (network.input_gradients(values, columns, guided=guided),)

    (inner,) = _in_batches(compute, network, patterns, targets, view, memory=4)
    gradients = np.zeros(patterns.shape, dtype=np.float32)
    gradients[:, *view.window(patterns.shape[1:])] = inner
    return gradients


def feature_maps(
    network: Network,
    patterns: Floats,
    targets: IntArray,
    view: View,
    layer: str,
    step: float | None,
) -> tuple[Floats, Floats]:
    """Return the maps of a layer and d score[target] / d maps, (B, c, h, w).

    Both are 0 beyond the pixels that are read; map pixels are added so that this holds for the
    whole pattern. Map pixel i is centred on pattern pixel `step` · i of what is read; without a
    step it is estimated from the sizes.
    """

    def compute(values: Floats, columns: IntArray) -> tuple[Floats, Floats]:
        return network.feature_maps(values, columns, layer)

    maps, gradients = _in_batches(compute, network, patterns, targets, view, memory=4)
    shape = patterns.shape[1:]
    window = view.window(shape)
    read = (window[0].stop - window[0].start, window[1].stop - window[1].start)
    pixels = step or map_step(read, (maps.shape[2], maps.shape[3]))
    around = (
        (round(part.start / pixels), round((size - part.stop) / pixels))
        for part, size in zip(window, shape, strict=True)
    )
    edge = [(0, 0), (0, 0), *around]
    return np.pad(maps, edge), np.pad(gradients, edge)


def map_step(read: tuple[int, int], maps: tuple[int, int]) -> int:
    """Return how many pixels of what is read lie between two neighbours on a map.

    Strided layers that pad make ``ceil(pixels / step)`` of an axis. Of the steps that fit both
    axes this is a power of two if there is one, else the smallest.
    """
    fitting = [
        step
        for step in range(1, 2 * max(read) + 1)
        if all(-(-n // step) == m for n, m in zip(read, maps, strict=True))
    ]
    powers = [step for step in fitting if step & (step - 1) == 0]
    closest = max(1, round(max(n / m for n, m in zip(read, maps, strict=True))))
    return (powers or fitting or [closest])[0]


def _in_batches(
    compute: Callable[[Floats, IntArray], tuple[Floats, ...]],
    network: Network,
    patterns: Floats,
    targets: IntArray,
    view: View,
    *,
    memory: int,
) -> list[Floats]:
    """Run `compute` on the pixels that are read, with `memory` times that of a forward pass."""
    inner = patterns[:, *view.window(patterns.shape[1:])]
    if not len(inner):
        # Not every framework accepts an empty batch: use the shapes of a single pattern's results.
        one = np.zeros((1, *patterns.shape[1:]), dtype=np.float32)
        nothing = np.zeros(1, dtype=np.int64)
        return [r[:0] for r in _in_batches(compute, network, one, nothing, view, memory=memory)]
    size = max(1, network.pixels_at_once // (memory * math.prod(inner.shape[1:])))
    columns = np.asarray(targets, dtype=np.int64)

    def parts() -> Iterator[tuple[Floats, ...]]:
        for start in range(0, len(inner), size):
            part = slice(start, start + size)
            yield compute(np.ascontiguousarray(inner[part]), columns[part])

    with network.computing():
        return [np.concatenate(results) for results in zip(*parts(), strict=True)]

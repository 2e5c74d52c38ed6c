"""What a trained network says of patterns: probabilities, gradients and feature maps.

NumPy in, NumPy out, in batches that fit into memory; the network is only read. Gradients and maps
are always computed in float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from speckle_core.roles import IntArray
from speckle_torch import feed
from speckle_torch.network import GuidedReLU, ResNet

Floats = NDArray[np.float32]

#: Pixels from one value of the first stage's maps to the next; each later stage doubles it.
FIRST_STRIDE = 4


def pixels_at_once(device: torch.device) -> int:
    """Return how many pixels a forward pass takes, by the memory to be expected."""
    return 2**24 if device.type == "cuda" else 2**20


def probabilities(
    network: ResNet, patterns: Floats, crop: int | None, *, bfloat16: bool
) -> NDArray[np.float64]:
    """Return class probabilities, (B, classes), of patterns (B, ny, nx)."""
    device = network.dense.weight.device

    def compute(values: Tensor, _: Tensor) -> tuple[Tensor]:
        with torch.no_grad(), torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
            scores = network(values)
        return (scores.float(),)

    targets = np.zeros(len(patterns), dtype=np.int64)
    (scores,) = _in_batches(compute, network, patterns, targets, crop, memory=1)
    return torch.softmax(torch.from_numpy(scores).double(), dim=1).numpy()


def input_gradients(
    network: ResNet, patterns: Floats, targets: IntArray, crop: int | None, *, guided: bool
) -> Floats:
    """Return d score[target] / d pattern, (B, ny, nx); 0 outside the crop."""
    relu = GuidedReLU.apply if guided else functional.relu

    def compute(values: Tensor, columns: Tensor) -> tuple[Tensor, ...]:
        values.requires_grad_()
        scores = network(values, relu)
        return torch.autograd.grad(scores.gather(1, columns[:, None]).sum(), values)

    (inner,) = _in_batches(compute, network, patterns, targets, crop, memory=4)
    gradients = np.zeros(patterns.shape, dtype=np.float32)
    gradients[:, *feed.window(patterns.shape[1:], crop)] = inner
    return gradients


def feature_maps(
    network: ResNet, patterns: Floats, targets: IntArray, crop: int | None, stage: str
) -> tuple[Floats, Floats]:
    """Return the maps of a stage and d score[target] / d maps, both (B, c, h, w).

    Map value i looks at pattern pixel s i, with s = 4, 8, 16, 32 for the four stages. Outside the
    crop, which the network ignores, both are 0, as many map values as keep that true for the whole
    pattern.
    """

    def compute(values: Tensor, columns: Tensor) -> tuple[Tensor, ...]:
        with torch.no_grad():
            maps = network.features(values, until=stage)
        maps.requires_grad_()
        scores = network.head(maps, after=stage)
        (gradients,) = torch.autograd.grad(scores.gather(1, columns[:, None]).sum(), maps)
        return maps.detach(), gradients

    maps, gradients = _in_batches(compute, network, patterns, targets, crop, memory=4)
    if crop is None:
        return maps, gradients
    stride = FIRST_STRIDE * 2 ** network.stages.index(stage)
    outside = [round((size - crop) / 2 / stride) for size in patterns.shape[1:]]
    edge = [(0, 0), (0, 0), *((pixels, pixels) for pixels in outside)]
    return np.pad(maps, edge), np.pad(gradients, edge)


def _in_batches(
    compute: Callable[[Tensor, Tensor], tuple[Tensor, ...]],
    network: ResNet,
    patterns: Floats,
    targets: IntArray,
    crop: int | None,
    *,
    memory: int,
) -> list[Floats]:
    """Run `compute` over cropped patterns, `memory` times as careful as a forward pass needs."""
    device = network.dense.weight.device
    inner = patterns[:, *feed.window(patterns.shape[1:], crop)]
    size = max(1, pixels_at_once(device) // (memory * math.prod(inner.shape[1:])))
    columns = torch.from_numpy(np.asarray(targets, dtype=np.int64))

    def parts() -> Iterator[list[Floats]]:
        for start in range(0, max(len(inner), 1), size):
            part = slice(start, start + size)
            values = torch.tensor(np.ascontiguousarray(inner[part]), device=device)
            yield [r.cpu().numpy() for r in compute(values, columns[part].to(device))]

    return [np.concatenate(results) for results in zip(*parts(), strict=True)]

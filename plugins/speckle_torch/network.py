"""The paper's network as a torch module; `architecture` names and shapes its tensors.

Deviations from the authors' Keras network: the batch-norm averages are bias-corrected (see
`speckle_torch.layers.BatchNorm`).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from speckle_resnet.architecture import Block, Plan, Weights, blocks
from speckle_torch.layers import BatchNorm
from speckle_torch.tensors import fill


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return the pixels that TensorFlow's "same" adds before and after one axis.

    The output has ceil(size / stride) pixels; an odd total puts the extra pixel at the end, so that
    even sizes are padded unevenly under stride 2.
    """
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def _padded(x: Tensor, kernel: int, stride: int, value: float) -> tuple[Tensor, int]:
    """Return `x` padded where the layer cannot do it, and the padding left to the layer."""
    rows = same_padding(x.shape[-2], kernel, stride)
    columns = same_padding(x.shape[-1], kernel, stride)
    if rows == columns and rows[0] == rows[1]:
        return x, rows[0]
    return functional.pad(x, (*columns, *rows), value=value), 0


class Conv(nn.Conv2d):
    """A convolution with bias and TensorFlow's "same" padding."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (B, inputs, h, w) to (B, outputs, ceil(h / stride), ceil(w / stride))."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        x, rest = _padded(x, kernel, stride, 0.0)
        return functional.conv2d(x, self.weight, self.bias, stride, rest)


class MaxPool(nn.Module):
    """3 × 3 maximum, stride 2, TensorFlow's "same": padding never wins."""

    def forward(self, x: Tensor) -> Tensor:
        """Pool (B, c, h, w) to (B, c, ceil(h / 2), ceil(w / 2))."""
        x, rest = _padded(x, 3, 2, float("-inf"))
        return functional.max_pool2d(x, 3, 2, rest)


class Bottleneck(nn.Module):
    """1 × 1, 3 × 3, 1 × 1 convolutions, each after batch norm and ReLU, beside a shortcut."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.bn1 = None if block.activated else BatchNorm(block.inputs)
        self.relu1, self.relu2, self.relu3 = nn.ReLU(), nn.ReLU(), nn.ReLU()
        self.conv1 = Conv(block.inputs, block.width, 1, block.stride)
        self.bn2 = BatchNorm(block.width)
        self.conv2 = Conv(block.width, block.width, 3)
        self.bn3 = BatchNorm(block.width)
        self.conv3 = Conv(block.width, block.outputs, 1)
        self.shortcut = (
            Conv(block.inputs, block.outputs, 1, block.stride) if block.projects else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, h, w) to (B, outputs, ceil(h / stride), ceil(w / stride))."""
        y = x if self.bn1 is None else self.relu1(self.bn1(x))
        y = self.conv1(y)
        y = self.conv2(self.relu2(self.bn2(y)))
        y = self.conv3(self.relu3(self.bn3(y)))
        outputs: Tensor = y + (x if self.shortcut is None else self.shortcut(x))
        return outputs


class ResNet(nn.Module):
    """Pre-activation ResNet with bottlenecks (He, Zhang, Ren and Sun, ECCV 2016)."""

    def __init__(self, plan: Plan, channels: int, classes: int) -> None:
        super().__init__()
        self.channels = channels
        self.stem = nn.Sequential()
        self.stem.add_module("conv", Conv(channels, plan.stem, 7, 2))
        self.stem.add_module("bn", BatchNorm(plan.stem))
        self.stem.add_module("relu", nn.ReLU())
        self.stem.add_module("pool", MaxPool())
        outputs = plan.stem
        for block in blocks(plan):
            stage, _, name = block.name.partition(".")
            if not hasattr(self, stage):
                self.add_module(stage, nn.Sequential())
            getattr(self, stage).add_module(name, Bottleneck(block))
            outputs = block.outputs
        self.stages = [f"stage{i}" for i in range(1, len(plan.blocks) + 1)]
        self.final = nn.Sequential()
        self.final.add_module("bn", BatchNorm(outputs))
        self.final.add_module("relu", nn.ReLU())
        self.dense = nn.Linear(outputs, classes)

    def ends(self) -> dict[str, nn.Module]:
        """Return what computes the output of each stage; the last has the final batch norm."""
        ends: dict[str, nn.Module] = {stage: getattr(self, stage) for stage in self.stages}
        return ends | {self.stages[-1]: self.final}

    def features(self, patterns: Tensor) -> Tensor:
        """Return the last maps, (B, c, h, w).

        `patterns` is (B, ny, nx); with three channels it is copied into each, as the authors did.
        """
        x = self.stem(patterns[:, None].expand(-1, self.channels, -1, -1))
        for stage in self.stages:
            x = getattr(self, stage)(x)
        maps: Tensor = self.final(x)
        return maps

    def forward(self, patterns: Tensor) -> Tensor:
        """Return the class scores before the softmax, (B, classes), of patterns (B, ny, nx)."""
        scores: Tensor = self.dense(self.features(patterns).mean(dim=(2, 3)))
        return scores


_NORM = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}


def keras_tensor(name: str, tensor: Tensor) -> tuple[str, Tensor] | None:
    """Return the name of a tensor of the network in `architecture`, and a view in its layout.

    `name` is that of the state dictionary. The number of batches that a batch norm has seen is not
    part of the network: None.
    """
    place, _, part = name.rpartition(".")
    if place.rpartition(".")[2].startswith("bn"):
        return (f"{place}.{_NORM[part]}", tensor) if part in _NORM else None
    if tensor.ndim == 4:
        tensor = tensor.permute(2, 3, 1, 0)
    elif tensor.ndim == 2:
        tensor = tensor.T
    return f"{place}.{'kernel' if part == 'weight' else part}", tensor


def named_tensors(network: ResNet) -> dict[str, Tensor]:
    """Return views of the live parameters and averages as `architecture` names and lays them."""
    found = (keras_tensor(name, tensor) for name, tensor in network.state_dict().items())
    return dict(pair for pair in found if pair is not None)


def build(plan: Plan, channels: int, classes: int, weights: Weights) -> ResNet:
    """Return the network with these weights, on the CPU; torch's random state is not changed."""
    with torch.device("meta"):
        network = ResNet(plan, channels, classes)
    network.to_empty(device="cpu")
    fill(named_tensors(network), weights)
    # torch's annotations of `Module.to` lack the documented memory format.
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network

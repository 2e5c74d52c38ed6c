"""The paper's network as a torch module; `architecture` names and shapes its tensors.

Deviations from the authors' Keras network: the batch-norm averages are bias-corrected (see
`BatchNorm`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from speckle_resnet.architecture import (
    BATCH_NORM_EPSILON,
    BATCH_NORM_MOMENTUM,
    Block,
    Plan,
    Weights,
    blocks,
)

Activation = Callable[[Tensor], Tensor]


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


class BatchNorm(nn.Module):
    """Batch normalisation with Keras' epsilon and momentum, and bias-corrected averages.

    Keras' averages start at mean 0 and variance 1 and decay with 0.99 per step, so after a few
    hundred steps predictions still depend on the initial values. Here step t has the weight
    0.01 / (1 - 0.99^t), as in Adam: the first step replaces the initial values, and after about
    five hundred steps the weight is Keras' 0.01. Training sets `momentum` before each step.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))
        self.register_buffer("running_mean", torch.zeros(width))
        self.register_buffer("running_var", torch.ones(width))
        self.momentum = 1 - BATCH_NORM_MOMENTUM
        #: torch's function, or one that uses the batches of all processes.
        self.compute: Callable[..., Tensor] = functional.batch_norm

    def forward(self, x: Tensor) -> Tensor:
        """Normalise each channel of (B, c, h, w) by the batch in training, else by the averages."""
        return self.compute(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training,
            self.momentum,
            BATCH_NORM_EPSILON,
        )


class Bottleneck(nn.Module):
    """1 × 1, 3 × 3, 1 × 1 convolutions, each after batch norm and ReLU, beside a shortcut."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.bn1 = None if block.activated else BatchNorm(block.inputs)
        self.conv1 = Conv(block.inputs, block.width, 1, block.stride)
        self.bn2 = BatchNorm(block.width)
        self.conv2 = Conv(block.width, block.width, 3)
        self.bn3 = BatchNorm(block.width)
        self.conv3 = Conv(block.width, block.outputs, 1)
        self.shortcut = (
            Conv(block.inputs, block.outputs, 1, block.stride) if block.projects else None
        )

    def forward(self, x: Tensor, relu: Activation) -> Tensor:
        """Map (B, inputs, h, w) to (B, outputs, ceil(h / stride), ceil(w / stride))."""
        y = x if self.bn1 is None else relu(self.bn1(x))
        y = self.conv1(y)
        y = self.conv2(relu(self.bn2(y)))
        y = self.conv3(relu(self.bn3(y)))
        outputs: Tensor = y + (x if self.shortcut is None else self.shortcut(x))
        return outputs


class ResNet(nn.Module):
    """Pre-activation ResNet with bottlenecks (He, Zhang, Ren and Sun, ECCV 2016)."""

    def __init__(self, plan: Plan, channels: int, classes: int) -> None:
        super().__init__()
        self.channels = channels
        self.stem = nn.ModuleDict(
            {"conv": Conv(channels, plan.stem, 7, 2), "bn": BatchNorm(plan.stem)}
        )
        self.pool = MaxPool()
        outputs = plan.stem
        for block in blocks(plan):
            stage, _, name = block.name.partition(".")
            if not hasattr(self, stage):
                self.add_module(stage, nn.ModuleDict())
            getattr(self, stage)[name] = Bottleneck(block)
            outputs = block.outputs
        self.stages = [f"stage{i}" for i in range(1, len(plan.blocks) + 1)]
        self.final = nn.ModuleDict({"bn": BatchNorm(outputs)})
        self.dense = nn.Linear(outputs, classes)

    def features(
        self, patterns: Tensor, relu: Activation = functional.relu, until: str | None = None
    ) -> Tensor:
        """Return the maps of stage `until`, (B, c, h, w); by default the last.

        `patterns` is (B, ny, nx); with three channels it is copied into each, as the authors did.
        `relu` replaces every ReLU of the network.
        """
        x = patterns[:, None].expand(-1, self.channels, -1, -1)
        x = self.pool(relu(self.stem["bn"](self.stem["conv"](x))))
        return self._through(self.stages, x, relu, until or self.stages[-1])

    def head(
        self, maps: Tensor, relu: Activation = functional.relu, after: str | None = None
    ) -> Tensor:
        """Return the class scores before the softmax, (B, classes), of a stage's maps."""
        if after not in (None, self.stages[-1]):
            left = self.stages[self.stages.index(after) + 1 :]
            maps = self._through(left, maps, relu, self.stages[-1])
        scores: Tensor = self.dense(maps.mean(dim=(2, 3)))
        return scores

    def _through(self, stages: list[str], x: Tensor, relu: Activation, until: str) -> Tensor:
        for stage in stages[: stages.index(until) + 1]:
            for block in getattr(self, stage).values():
                x = block(x, relu)
        # The maps of the last stage are taken after the final batch norm and ReLU.
        return relu(self.final["bn"](x)) if until == self.stages[-1] else x

    def forward(self, patterns: Tensor, relu: Activation = functional.relu) -> Tensor:
        """Return the class scores before the softmax, (B, classes), of patterns (B, ny, nx)."""
        return self.head(self.features(patterns, relu))


def named_tensors(network: ResNet) -> dict[str, Tensor]:
    """Return the network's live parameters and averages under the names of `architecture`."""
    norm = {
        "gamma": "weight",
        "beta": "bias",
        "moving_mean": "running_mean",
        "moving_variance": "running_var",
    }
    found = {}
    for name, module in network.named_modules():
        parts = {}
        if isinstance(module, BatchNorm):
            parts = norm
        elif isinstance(module, nn.Conv2d | nn.Linear):
            parts = {"kernel": "weight", "bias": "bias"}
        for part, attribute in parts.items():
            found[f"{name}.{part}"] = getattr(module, attribute)
    return found


def to_arrays(tensors: dict[str, Tensor]) -> Weights:
    """Copy tensors to NumPy, kernels laid out as `architecture` says."""
    arrays = {}
    for name, tensor in tensors.items():
        values = tensor.detach().cpu().numpy()
        if values.ndim > 1:
            values = values.transpose(2, 3, 1, 0) if values.ndim == 4 else values.T
        arrays[name] = np.array(values, dtype=np.float32, order="C")
    return arrays


def fill(tensors: dict[str, Tensor], arrays: Weights) -> None:
    """Copy the arrays of `to_arrays` into live tensors, by name."""
    with torch.no_grad():
        for name, tensor in tensors.items():
            values = torch.from_numpy(arrays[name])
            if values.ndim > 1:
                values = values.permute(3, 2, 0, 1) if values.ndim == 4 else values.T
            tensor.copy_(values)


def build(plan: Plan, channels: int, classes: int, weights: Weights) -> ResNet:
    """Return the network with these weights, on the CPU; torch's random state is not changed."""
    with torch.device("meta"):
        network = ResNet(plan, channels, classes)
    network.to_empty(device="cpu")
    fill(named_tensors(network), weights)
    # torch's annotations of `Module.to` lack the documented memory format.
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


class GuidedReLU(torch.autograd.Function):
    """ReLU that passes back only positive gradients (Springenberg et al., 2015)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Return the positive part of `x`."""
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Return the positive part of the gradient where the input was positive."""
        x: Tensor = ctx.saved_tensors[0]
        return gradient.clamp(min=0) * (x > 0)

"""The paper's network as a table: name, shape and initial value of every tensor.

This description needs only NumPy, so two frameworks can implement the same network: tensors in a
model file are named and laid out as in this table, whichever framework wrote it. Must not import a
framework.

Names read ``stage2.block1.conv1.kernel``: the stem (``stem.conv``, ``stem.bn``), four stages of
bottleneck blocks (``bn1 conv1 bn2 conv2 bn3 conv3``, and ``shortcut`` where the shape changes),
``final.bn`` and ``dense``. Layouts are Keras': convolution kernels (height, width, in, out), the
dense kernel (in, out), all others (channels,). Batch normalisation has gamma, beta, moving_mean
and moving_variance.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import attrs
import numpy as np
from numpy.typing import NDArray

Weights = dict[str, NDArray[np.float32]]

#: Defaults of the authors' Keras version.
BATCH_NORM_EPSILON = 1e-3
BATCH_NORM_MOMENTUM = 0.99
#: Ratio of the width of a bottleneck's last convolution to that of the stage.
EXPANSION = 4


@attrs.frozen
class Plan:
    """Number of blocks of each stage, and width of its 3 × 3 convolutions."""

    blocks: tuple[int, ...]
    widths: tuple[int, ...]
    stem: int


RESNET50 = Plan(blocks=(3, 4, 6, 3), widths=(64, 128, 256, 512), stem=64)


@attrs.frozen
class Block:
    """One bottleneck: its position (stages count from 1) and its effect on the shape.

    `activated` means that the input has already passed batch norm and ReLU, as that of the first
    block after the stem has, so the block starts with its convolution.
    """

    name: str
    stage: int
    inputs: int
    width: int
    stride: int
    activated: bool

    @property
    def outputs(self) -> int:
        """Number of output channels."""
        return self.width * EXPANSION

    @property
    def projects(self) -> bool:
        """Whether the shortcut needs a 1 × 1 convolution to fit."""
        return self.stride != 1 or self.inputs != self.outputs


def blocks(plan: Plan) -> Iterator[Block]:
    """Yield the bottlenecks from the stem to the head."""
    channels = plan.stem
    for stage, (count, width) in enumerate(zip(plan.blocks, plan.widths, strict=True), start=1):
        for index in range(1, count + 1):
            first = stage == 1 and index == 1
            stride = 2 if index == 1 and stage > 1 else 1
            block = Block(f"stage{stage}.block{index}", stage, channels, width, stride, first)
            yield block
            channels = block.outputs


def tensors(plan: Plan, channels: int, classes: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of every tensor by name, in the order of the forward pass.

    Parameters
    ----------
    plan : Plan
        `RESNET50`, or a smaller one for a test.
    channels : int
        Input channels, 1 or 3.
    classes : int
        Number of outputs.

    Returns
    -------
    dict of str to tuple of int
        Name to shape; for layouts see the module's docstring.
    """
    shapes: dict[str, tuple[int, ...]] = {}

    def conv(name: str, size: int, inputs: int, outputs: int) -> None:
        shapes[f"{name}.kernel"] = (size, size, inputs, outputs)
        shapes[f"{name}.bias"] = (outputs,)

    def norm(name: str, width: int) -> None:
        for part in ("gamma", "beta", "moving_mean", "moving_variance"):
            shapes[f"{name}.{part}"] = (width,)

    conv("stem.conv", 7, channels, plan.stem)
    norm("stem.bn", plan.stem)
    outputs = plan.stem
    for block in blocks(plan):
        if not block.activated:
            norm(f"{block.name}.bn1", block.inputs)
        conv(f"{block.name}.conv1", 1, block.inputs, block.width)
        norm(f"{block.name}.bn2", block.width)
        conv(f"{block.name}.conv2", 3, block.width, block.width)
        norm(f"{block.name}.bn3", block.width)
        conv(f"{block.name}.conv3", 1, block.width, block.outputs)
        if block.projects:
            conv(f"{block.name}.shortcut", 1, block.inputs, block.outputs)
        outputs = block.outputs
    norm("final.bn", outputs)
    shapes["dense.kernel"] = (outputs, classes)
    shapes["dense.bias"] = (classes,)
    return shapes


def trainable(name: str) -> bool:
    """Return whether the optimiser trains the tensor, as it does all but batch norm averages."""
    return not name.endswith((".moving_mean", ".moving_variance"))


def decays(name: str) -> bool:
    """Return whether weight decay applies: to kernels of convolutions, as in the authors' code."""
    return name.endswith(".kernel") and name != "dense.kernel"


def initial_weights(shapes: dict[str, tuple[int, ...]], seed: int) -> Weights:
    """Draw the initial weights: he_normal kernels, and Keras' constants for all others.

    Keras' he_normal is a normal distribution truncated at two standard deviations and rescaled to
    the variance 2 / fan_in (He et al., 2015). Both frameworks start from exactly the same numbers,
    and no framework's random state is changed.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,)))
    ones = (".gamma", ".moving_variance")
    weights = {}
    for name, shape in shapes.items():
        if name.endswith(".kernel"):
            fan_in = math.prod(shape[:-1])
            deviation = math.sqrt(2 / fan_in) / 0.87962566103423978
            weights[name] = _truncated_normal(rng, shape) * np.float32(deviation)
        else:
            weights[name] = np.full(shape, 1 if name.endswith(ones) else 0, dtype=np.float32)
    return weights


def _truncated_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32]:
    values = rng.standard_normal(math.prod(shape), dtype=np.float32)
    while (outside := np.flatnonzero(np.abs(values) > 2)).size:
        values[outside] = rng.standard_normal(outside.size, dtype=np.float32)
    return values.reshape(shape)

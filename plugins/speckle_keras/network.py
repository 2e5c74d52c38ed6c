"""The paper's network as a Keras model; `architecture` names and shapes its tensors.

Plain Keras layers, except for a batch norm that is one fused operation of the backend.
"""

from __future__ import annotations

from typing import Any

from speckle_keras.backend import keras
from speckle_keras.layers import BatchNorm
from speckle_keras.tensors import fill
from speckle_resnet.architecture import (
    BATCH_NORM_EPSILON,
    BATCH_NORM_MOMENTUM,
    Block,
    Plan,
    Weights,
    blocks,
    tensors,
)

layers: Any = keras.layers
ops: Any = keras.ops

Tensor = Any
#: Always explicit, since a user's keras.json may have another default.
_LAST = "channels_last"


class ResNet(keras.Model):
    """Pre-activation ResNet with bottlenecks (He, Zhang, Ren and Sun, ECCV 2016)."""

    def __init__(self, plan: Plan, channels: int, classes: int) -> None:
        super().__init__(dtype="float32")
        self.plan, self.channels, self.classes = plan, channels, classes
        self.at: dict[str, Any] = {}
        for name, shape in tensors(plan, channels, classes).items():
            place, _, part = name.rpartition(".")
            if part == "kernel" and place != "dense":
                strides = _strides(plan).get(place, 1)
                self._add(place, _convolution(shape[3], shape[0], strides), (None,) * 3, shape[2])
            elif part == "gamma":
                norm = BatchNorm(
                    momentum=BATCH_NORM_MOMENTUM, epsilon=BATCH_NORM_EPSILON, dtype="float32"
                )
                self._add(place, norm, (None,) * 3, shape[0])
            elif part == "kernel":
                # Weights are set right away; drawing them would change a random state.
                dense = layers.Dense(shape[1], kernel_initializer="zeros", dtype="float32")
                self._add(place, dense, (None,), shape[0])
        self.ends = {
            f"stage{i}": layers.Identity(dtype="float32") for i in range(1, len(plan.blocks) + 1)
        }
        self.built = True

    def _add(self, place: str, layer: Any, axes: tuple[None, ...], inputs: int) -> None:
        layer.build((*axes, inputs))
        self.at[place] = layer

    def call(self, patterns: Tensor, training: bool = False) -> Tensor:
        """Return the class scores before the softmax, (B, classes), of patterns (B, ny, nx)."""
        maps = self.until(len(self.plan.blocks), patterns, training=training)
        return self.at["dense"](ops.mean(ops.cast(maps, "float32"), axis=(1, 2)))

    def until(self, stage: int, patterns: Tensor, *, training: bool = False) -> Tensor:
        """Return the output of stage number `stage`, from 1: maps (B, h, w, c).

        `patterns` is (B, ny, nx); with three channels it is copied into each, as the authors did.
        The output of the last stage is that of the final batch norm and ReLU.
        """
        x = ops.repeat(patterns[..., None], self.channels, axis=-1)
        x = ops.relu(self.at["stem.bn"](self.at["stem.conv"](x), training=training))
        x = ops.max_pool(x, 3, 2, padding="same", data_format=_LAST)
        for number in range(1, stage + 1):
            for block in blocks(self.plan):
                if block.stage == number:
                    x = self._bottleneck(block, x, training)
            if number == len(self.plan.blocks):
                x = ops.relu(self.at["final.bn"](x, training=training))
            x = self.ends[f"stage{number}"](x)
        return x

    def _bottleneck(self, block: Block, x: Tensor, training: bool) -> Tensor:
        def part(name: str) -> Any:
            return self.at[f"{block.name}.{name}"]

        y = x if block.activated else ops.relu(part("bn1")(x, training=training))
        y = part("conv1")(y)
        y = part("conv2")(ops.relu(part("bn2")(y, training=training)))
        y = part("conv3")(ops.relu(part("bn3")(y, training=training)))
        return y + (part("shortcut")(x) if block.projects else x)

    @property
    def coarse_layers(self) -> list[Any]:
        """The layers that may compute in bfloat16: all but the head."""
        inner = [layer for place, layer in self.at.items() if place != "dense"]
        return [*inner, *self.ends.values()]

    def named_variables(self) -> dict[str, Any]:
        """Return the live variables under the names of `architecture`."""
        return {
            f"{place}.{variable.name}": variable
            for place, layer in self.at.items()
            for variable in layer.weights
        }


def _strides(plan: Plan) -> dict[str, int]:
    found = {"stem.conv": 2}
    for block in blocks(plan):
        found |= {f"{block.name}.{part}": block.stride for part in ("conv1", "shortcut")}
    return found


def _convolution(outputs: int, kernel: int, strides: int) -> Any:
    return layers.Conv2D(
        outputs,
        kernel,
        strides,
        padding="same",
        data_format=_LAST,
        kernel_initializer="zeros",
        dtype="float32",
    )


def build(plan: Plan, channels: int, classes: int, weights: Weights) -> ResNet:
    """Return the network with these weights."""
    network = ResNet(plan, channels, classes)
    fill(network.named_variables(), weights)
    return network

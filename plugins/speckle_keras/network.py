"""The paper's network as a Keras model; `architecture` names and shapes its tensors.

Plain Keras layers, except for a batch norm that is one fused operation of the backend.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from speckle_keras.backend import engine, keras
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
Activation = Callable[[Tensor], Tensor]
#: Always explicit, since a user's keras.json may have another default.
_LAST = "channels_last"


class BatchNorm(layers.BatchNormalization):
    """Keras' batch normalisation over the last axis, with the backend's fused operation.

    With the unfused one of Keras 3, a training step on a CPU takes 20 % longer, in bfloat16 40 %.
    As in the authors' Keras version, the running variance is the unbiased one.
    """

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Normalise by the batch in training, and update the averages; else by the averages."""
        scale, offset = self.gamma.value, self.beta.value
        if not training:
            mean, variance = self.moving_mean.value, self.moving_variance.value
            return engine.normalised(inputs, scale, offset, mean, variance, self.epsilon)
        outputs, mean, variance = engine.normalised_by_batch(inputs, scale, offset, self.epsilon)
        for average, measured in ((self.moving_mean, mean), (self.moving_variance, variance)):
            average.assign(average * self.momentum + measured * (1 - self.momentum))
        return outputs


class ResNet(keras.Model):
    """Pre-activation ResNet with bottlenecks (He, Zhang, Ren and Sun, ECCV 2016)."""

    def __init__(self, plan: Plan, channels: int, classes: int) -> None:
        super().__init__(dtype="float32")
        self.plan, self.channels = plan, channels
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
        self.built = True

    def _add(self, place: str, layer: Any, axes: tuple[None, ...], inputs: int) -> None:
        layer.build((*axes, inputs))
        self.at[place] = layer

    def call(self, patterns: Tensor, training: bool = False) -> Tensor:
        """Return the class scores before the softmax, (B, classes), of patterns (B, ny, nx)."""
        last = len(self.plan.blocks)
        return self.after(last, self.until(last, patterns, training=training))

    def until(
        self, stage: int, patterns: Tensor, relu: Activation = ops.relu, *, training: bool = False
    ) -> Tensor:
        """Return the output of stage number `stage`, from 1: maps (B, h, w, c).

        `patterns` is (B, ny, nx); with three channels it is copied into each, as the authors did.
        `relu` replaces every ReLU. The output of the last stage is that of the final
        batch norm and ReLU.
        """
        x = ops.repeat(patterns[..., None], self.channels, axis=-1)
        x = relu(self.at["stem.bn"](self.at["stem.conv"](x), training=training))
        x = ops.max_pool(x, 3, 2, padding="same", data_format=_LAST)
        return self._through(x, 1, stage, relu, training)

    def after(self, stage: int, maps: Tensor, relu: Activation = ops.relu) -> Tensor:
        """Return the class scores (B, classes) for the output of a stage."""
        maps = self._through(maps, stage + 1, len(self.plan.blocks), relu, training=False)
        return self.at["dense"](ops.mean(ops.cast(maps, "float32"), axis=(1, 2)))

    def _through(
        self, x: Tensor, first: int, last: int, relu: Activation, training: bool
    ) -> Tensor:
        """Run stages `first` to `last`; the final batch norm and ReLU belong to the last of all."""
        for block in blocks(self.plan):
            if first <= block.stage <= last:
                x = self._bottleneck(block, x, relu, training)
        if first <= last == len(self.plan.blocks):
            x = relu(self.at["final.bn"](x, training=training))
        return x

    def _bottleneck(self, block: Block, x: Tensor, relu: Activation, training: bool) -> Tensor:
        def part(name: str) -> Any:
            return self.at[f"{block.name}.{name}"]

        y = x if block.activated else relu(part("bn1")(x, training=training))
        y = part("conv1")(y)
        y = part("conv2")(relu(part("bn2")(y, training=training)))
        y = part("conv3")(relu(part("bn3")(y, training=training)))
        return y + (part("shortcut")(x) if block.projects else x)

    @contextlib.contextmanager
    def computing_in(self, precision: str) -> Iterator[None]:
        """Let convolutions and batch norms multiply in ``bfloat16`` or ``float32``."""
        inner = [layer for place, layer in self.at.items() if place != "dense"]
        for layer in inner:
            layer.dtype_policy = "mixed_bfloat16" if precision == "bfloat16" else "float32"
        try:
            yield
        finally:
            for layer in inner:
                layer.dtype_policy = "float32"

    def named_variables(self) -> dict[str, Any]:
        """Return the live variables under the names of `architecture`."""
        return {
            f"{place}.{variable.name}": variable
            for place, layer in self.at.items()
            for variable in layer.weights
        }

    def arrays(self) -> Weights:
        """Copy every tensor to NumPy."""
        return to_arrays(self.named_variables())


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


def to_arrays(variables: dict[str, Any]) -> Weights:
    """Copy variables to NumPy; Keras' layouts are those of `architecture`."""
    return {
        name: np.array(ops.convert_to_numpy(variable), dtype=np.float32, order="C")
        for name, variable in variables.items()
    }


def fill(variables: dict[str, Any], arrays: Weights) -> None:
    """Copy the arrays of `to_arrays` into live variables, by name."""
    for name, variable in variables.items():
        variable.assign(arrays[name])


def build(plan: Plan, channels: int, classes: int, weights: Weights) -> ResNet:
    """Return the network with these weights."""
    network = ResNet(plan, channels, classes)
    fill(network.named_variables(), weights)
    return network


@ops.custom_gradient
def guided_relu(x: Tensor) -> Any:
    """ReLU that passes back only positive gradients (Springenberg et al., 2015)."""

    def gradient(*given: Tensor, upstream: Tensor = None) -> Tensor:
        # TensorFlow gives the gradient as the only argument, the torch backend by name.
        arrived = given[0] if upstream is None else upstream
        return ops.where(x > 0, ops.relu(arrived), 0)

    return ops.relu(x), gradient

"""The network in Keras, with the tensors of the one in PyTorch: their names, layouts and rules."""

from __future__ import annotations

import math
from typing import Any

from speckle_keras.backend import engine, keras
from speckle_specklenet.evidence import FARTHEST, Evidence
from speckle_specklenet.remembered import Remembered

ops: Any = keras.ops
Tensor = Any
#: Defaults of torch's batch norm.
_EPSILON, _MOMENTUM = 1e-5, 0.1


class Linear(keras.layers.Layer):
    """Torch's linear layer: weight (outputs, inputs), first drawn evenly within 1 / √inputs."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(dtype="float32")
        bound = 1 / math.sqrt(inputs)
        for name, shape in (("weight", (outputs, inputs)), ("bias", (outputs,))):
            first = keras.initializers.RandomUniform(-bound, bound)
            setattr(self, name, self.add_weight(shape=shape, initializer=first, name=name))
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        """Return (B, outputs)."""
        return ops.matmul(inputs, ops.transpose(self.weight)) + self.bias


class Norm(keras.layers.Layer):
    """Torch's batch norm over (B, width), with a scale and an offset if `affine`."""

    def __init__(self, width: int, *, affine: bool = True) -> None:
        super().__init__(dtype="float32")
        self.affine = affine
        if affine:
            self.weight = self.add_weight(shape=(width,), initializer="ones", name="weight")
            self.bias = self.add_weight(shape=(width,), initializer="zeros", name="bias")
        self.mean = self._average("running_mean", (width,), "zeros", "float32")
        self.variance = self._average("running_var", (width,), "ones", "float32")
        self.seen = self._average("num_batches_tracked", (), "zeros", "int64")
        self.built = True

    def _average(self, name: str, shape: tuple[int, ...], first: str, dtype: str) -> Any:
        return self.add_weight(
            shape=shape, initializer=first, name=name, dtype=dtype, trainable=False, autocast=False
        )

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Normalise by the batch in training, and update the averages; else by the averages."""
        mean, variance = self.mean, self.variance
        if training:
            mean, variance = ops.moments(inputs, axes=0)
            count = ops.cast(ops.shape(inputs)[0], "float32")
            unbiased = variance * (count / (count - 1))
            for average, found in ((self.mean, mean), (self.variance, unbiased)):
                kept = (1 - _MOMENTUM) * average
                average.assign(kept + _MOMENTUM * ops.stop_gradient(found))
            self.seen.assign_add(1)
        found = (inputs - mean) * ops.rsqrt(variance + _EPSILON)
        return found * self.weight + self.bias if self.affine else found


class SpeckleNet(keras.Model):
    """From prepared patterns (B, ny, nx) to linear scores (B, classes)."""

    def __init__(self, evidence: Evidence, classes: int, width: int, dropout: float) -> None:
        super().__init__(dtype="float32")
        self.evidence = Remembered(evidence)
        self.norm = Norm(evidence.width, affine=False)
        self.steps = [
            Linear(evidence.width, width),
            Norm(width),
            keras.layers.ReLU(),
            keras.layers.Dropout(dropout),
            Linear(width, width),
            Norm(width),
            keras.layers.ReLU(),
            keras.layers.Dropout(dropout),
            Linear(width, classes),
        ]
        self.built = True

    def call(self, patterns: Tensor, training: bool = False) -> Tensor:
        """Return the scores."""
        found = engine.by_arrays(self.evidence, patterns, self.evidence.evidence.width)
        found = ops.clip(self.norm(found, training=training), -FARTHEST, FARTHEST)
        for step in self.steps:
            random = isinstance(step, Norm | keras.layers.Dropout)
            found = step(found, training=training) if random else step(found)
        return found

    @property
    def coarse_layers(self) -> list[Any]:
        """The layers that may compute in bfloat16."""
        return [step for step in self.steps if isinstance(step, Linear)]

    def named_variables(self) -> dict[str, Any]:
        """Return the live variables under the names that they have in PyTorch."""
        layers = {"norm": self.norm} | {f"layers.{i}": step for i, step in enumerate(self.steps)}
        return {
            f"{place}.{variable.name}": variable
            for place, layer in layers.items()
            for variable in layer.weights
        }

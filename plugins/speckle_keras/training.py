"""Steps of Keras' Adam over the network: what `speckle_resnet.training` leaves to a framework."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import numpy as np

from speckle_core import IntArray
from speckle_keras.backend import engine, keras
from speckle_keras.network import ResNet, fill, to_arrays
from speckle_resnet.architecture import BATCH_NORM_MOMENTUM, Weights, decays, trainable
from speckle_resnet.framework import ADAM_EPSILON, MEANS, SQUARES, Floats, Learn

ops = keras.ops
Batch = tuple[Floats, IntArray]


@attrs.define(eq=False)
class KerasTrainer:
    """Trains a network in place."""

    _model: ResNet
    _precision: str
    _decay: float
    _variables: dict[str, Any] = attrs.field(init=False)
    _optimizer: Any = attrs.field(init=False)
    _learn: Callable[..., Any] = attrs.field(init=False)
    _judge: Callable[..., Any] = attrs.field(init=False)
    _said: list[Any] = attrs.field(init=False, factory=list)

    def __attrs_post_init__(self) -> None:
        self._variables = {n: v for n, v in self._model.named_variables().items() if trainable(n)}
        self._optimizer = keras.optimizers.Adam(epsilon=ADAM_EPSILON)
        self._optimizer.build(list(self._variables.values()))
        self._learn = engine.compiled(self._step)
        self._judge = engine.compiled(lambda *batch: self._score(*batch, training=False))

    def _score(self, patterns: Any, targets: Any, *, training: bool) -> Any:
        """Return the summed cross-entropy of a batch, and how many it gets right."""
        with self._model.computing_in(self._precision):
            scores = self._model(patterns, training=training)
        loss = keras.losses.sparse_categorical_crossentropy(targets, scores, from_logits=True)
        right = ops.equal(ops.argmax(scores, axis=1), ops.cast(targets, "int32"))
        return ops.sum(loss), ops.sum(ops.cast(right, "float32"))

    def _step(self, patterns: Any, targets: Any) -> Any:
        """Learn from a batch and return its sums, as they were before."""

        def loss() -> tuple[Any, Any]:
            sums = self._score(patterns, targets, training=True)
            return sums[0] / ops.cast(ops.shape(targets)[0], "float32"), sums

        gradients, sums = engine.gradients(loss, list(self._variables.values()))
        # The penalty's derivative: cheaper than to sum the squares of 23 million weights.
        whole = [
            gradient + 2 * self._decay * variable if decays(name) else gradient
            for gradient, (name, variable) in zip(gradients, self._variables.items(), strict=True)
        ]
        self._optimizer.apply(whole)
        return sums

    @property
    def leads(self) -> bool:
        """Always: there is one process."""
        return True

    def share(self, batch: IntArray) -> IntArray:
        """Return the whole batch."""
        return batch

    def staged(self, patterns: Floats, targets: IntArray) -> Batch:
        """Return the batch as it is; Keras copies it to the device."""
        return patterns, targets

    @contextlib.contextmanager
    def learning(self, step: int) -> Iterator[Learn]:
        """Give the function that learns a batch; the first one of the epoch is number `step`.

        While it learns, the batch norms' averages are sums that began at 0 and forget with 0.99 a
        step; what predicts is those over 1 - 0.99^steps, as Adam corrects its own.
        """
        steps = step

        def learn(batch: Batch, _: int, rate: float) -> None:
            nonlocal steps
            self._optimizer.learning_rate = rate
            self._said.append(self._learn(*map(ops.convert_to_tensor, batch)))
            steps += 1

        self._scale_averages(1 - BATCH_NORM_MOMENTUM**step)
        yield learn
        self._scale_averages(1 / (1 - BATCH_NORM_MOMENTUM**steps))

    def _scale_averages(self, factor: float) -> None:
        for name, variable in self._model.named_variables().items():
            if not trainable(name):
                variable.assign(variable * factor)

    def judge(self, batch: Batch) -> None:
        """Add what the network says of a batch to the sums."""
        self._said.append(self._judge(*map(ops.convert_to_tensor, batch)))

    def sums(self) -> tuple[float, float]:
        """Return the sums since the last call."""
        said, self._said = [engine.numpy(sums) for sums in self._said], []
        loss, right = np.array(said, dtype=np.float64).sum(axis=0).tolist()
        return loss, right

    def _moments(self) -> dict[str, Any]:
        """Return Adam's live variables, whose names end so, in the order of what they move."""
        found: dict[str, Any] = {}
        for prefix, ending in ((MEANS, "_momentum"), (SQUARES, "_velocity")):
            theirs = [v for v in self._optimizer.variables if v.name.endswith(ending)]
            found |= dict(zip((prefix + n for n in self._variables), theirs, strict=True))
        return found

    def moments(self) -> Weights:
        """Return copies of Adam's running means and squares."""
        return to_arrays(self._moments())

    def restore(self, moments: Weights, steps: int) -> None:
        """Go on from these moments after so many steps."""
        fill(self._moments(), moments)
        self._optimizer.iterations.assign(steps)

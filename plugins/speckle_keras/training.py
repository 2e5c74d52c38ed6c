"""Training steps with Keras' Adam, for `speckle_resnet.training`."""

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
        """Return the summed cross-entropy and the number of correct patterns of a batch."""
        with self._model.computing_in(self._precision):
            scores = self._model(patterns, training=training)
        loss = keras.losses.sparse_categorical_crossentropy(targets, scores, from_logits=True)
        right = ops.equal(ops.argmax(scores, axis=1), ops.cast(targets, "int32"))
        return ops.sum(loss), ops.sum(ops.cast(right, "float32"))

    def _step(self, patterns: Any, targets: Any) -> Any:
        """Train on a batch and return its sums before the step."""

        def loss() -> tuple[Any, Any]:
            sums = self._score(patterns, targets, training=True)
            return sums[0] / ops.cast(ops.shape(targets)[0], "float32"), sums

        gradients, sums = engine.gradients(loss, list(self._variables.values()))
        # The derivative of the penalty is cheaper than summing the squares of 23 million weights.
        whole = [
            gradient + 2 * self._decay * variable if decays(name) else gradient
            for gradient, (name, variable) in zip(gradients, self._variables.items(), strict=True)
        ]
        self._optimizer.apply(whole)
        return sums

    @property
    def is_main(self) -> bool:
        """Always true: there is one process."""
        return True

    def share(self, batch: IntArray) -> IntArray:
        """Return the whole batch."""
        return batch

    def stage(self, patterns: Floats, targets: IntArray) -> Batch:
        """Return the batch unchanged; Keras copies it to the device."""
        return patterns, targets

    @contextlib.contextmanager
    def train_mode(self, step: int) -> Iterator[Learn]:
        """Provide the function that trains on a batch; the epoch starts at step `step`.

        During training the batch norms' averages are sums that start at 0 and decay with 0.99 per
        step; for prediction they are divided by 1 - 0.99^steps, as Adam corrects its moments.
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

    def evaluate(self, batch: Batch) -> None:
        """Evaluate a batch and add the result to the sums."""
        self._said.append(self._judge(*map(ops.convert_to_tensor, batch)))

    def sums(self) -> tuple[float, float]:
        """Return the sums since the last call."""
        said, self._said = [engine.numpy(sums) for sums in self._said], []
        loss, right = np.array(said, dtype=np.float64).sum(axis=0).tolist()
        return loss, right

    def _moments(self) -> dict[str, Any]:
        """Return Adam's live variables by their names, in the order of the weights."""
        found: dict[str, Any] = {}
        for prefix, ending in ((MEANS, "_momentum"), (SQUARES, "_velocity")):
            theirs = [v for v in self._optimizer.variables if v.name.endswith(ending)]
            found |= dict(zip((prefix + n for n in self._variables), theirs, strict=True))
        return found

    def moments(self) -> Weights:
        """Return copies of Adam's running means and squares."""
        return to_arrays(self._moments())

    def restore(self, moments: Weights, steps: int) -> None:
        """Resume with these moments after `steps` steps."""
        fill(self._moments(), moments)
        self._optimizer.iterations.assign(steps)

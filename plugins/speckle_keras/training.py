"""Training steps with Keras' Adam and AdamW, for `speckle_networks.training`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core import IntArray
from speckle_keras.backend import engine, keras
from speckle_keras.framework import KerasNetwork
from speckle_keras.layers import BatchNorm, layers_of
from speckle_keras.tensors import fill, to_arrays
from speckle_networks.framework import (
    ADAM_EPSILON,
    MEANS,
    SPREADS,
    SQUARES,
    Floats,
    Learn,
    Weights,
)
from speckle_networks.options import TrainingOptions

ops = keras.ops
Batch = tuple[Floats, IntArray | Floats]
#: Keras' momentum of batch norm at the time of the paper.
BATCH_NORM_MOMENTUM = 0.99
#: Key of the random stream of layers such as dropout, beside those of `speckle_networks.feed`.
_LAYERS = 3


@attrs.define(eq=False)
class KerasTrainer:
    """Trains a network in place."""

    _network: KerasNetwork
    _options: TrainingOptions
    _seed: int
    _weights: Floats | None
    _values: bool
    _variables: dict[str, Any] = attrs.field(init=False)
    _optimizer: Any = attrs.field(init=False)
    _learn: Callable[..., Any] = attrs.field(init=False)
    _said: list[Any] = attrs.field(init=False, factory=list)

    def __attrs_post_init__(self) -> None:
        network, learned = self._network, self._network.learned
        self._variables = {n: v for n, v in network.variables().items() if n in learned}
        if self._options.optimizer == "adamw":
            decay = self._options.weight_decay
            adamw = engine.fused(keras.optimizers.AdamW)
            self._optimizer = adamw(weight_decay=decay, epsilon=ADAM_EPSILON)
            others = [v for n, v in self._variables.items() if not self._decays(n, v)]
            self._optimizer.exclude_from_weight_decay(var_list=others)
        else:
            self._optimizer = engine.fused(keras.optimizers.Adam)(epsilon=ADAM_EPSILON)
        self._optimizer.build(list(self._variables.values()))
        self._learn = network.compiled(self._step, network.shape, values=self._values)

    def _decays(self, name: str, variable: Any) -> bool:
        return self._network.classifier.decays(name, tuple(variable.shape))

    def _losses(self, scores: Any, targets: Any) -> Any:
        """Return the loss to minimise, and the sums that a `Trainer` reports of a batch."""
        if self._values:
            logs = ops.clip(scores[:, 1], *SPREADS)
            squares = (scores[:, 0] - targets) ** 2
            loss = logs + 0.5 * squares * ops.exp(-2 * logs)
            # Else what is read badly is given up (Seitzer et al. 2022, arXiv:2203.09168).
            wanted = ops.sum(loss * ops.stop_gradient(ops.exp(logs)))
            return wanted, (ops.sum(loss), ops.sum(1 - squares))
        loss = keras.losses.sparse_categorical_crossentropy(targets, scores, from_logits=True)
        right = ops.equal(ops.argmax(scores, axis=1), ops.cast(targets, "int32"))
        sums = ops.sum(loss), ops.sum(ops.cast(right, "float32"))
        wanted, smoothing = sums[0], self._options.label_smoothing
        if smoothing:
            spread = -ops.mean(ops.log_softmax(scores, axis=1), axis=1)
            loss = (1 - smoothing) * loss + smoothing * spread
            wanted = ops.sum(loss)
        if self._weights is not None:
            wanted = ops.sum(loss * ops.take(self._weights, targets))
        return wanted, sums

    def _step(self, patterns: Any, targets: Any) -> Any:
        """Train on a batch and return its sums before the step."""

        def loss() -> tuple[Any, Any]:
            scores = self._network.forward(patterns, coarse=True, training=True)
            wanted, sums = self._losses(scores, targets)
            return wanted / ops.cast(ops.shape(targets)[0], "float32"), sums

        gradients, sums = engine.gradients(loss, list(self._variables.values()))
        if self._options.optimizer == "adam":
            decay = self._options.weight_decay
            # The derivative of the penalty is cheaper than summing the squares of all weights.
            gradients = [
                gradient + 2 * decay * variable if self._decays(name, variable) else gradient
                for gradient, (name, variable) in zip(
                    gradients, self._variables.items(), strict=True
                )
            ]
        self._optimizer.apply(gradients)
        return sums

    @property
    def is_main(self) -> bool:
        """Always true: there is one process."""
        return True

    def share(self, batch: IntArray) -> IntArray:
        """Return the whole batch."""
        return batch

    def stage(self, patterns: Floats, targets: IntArray | Floats) -> Batch:
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

        self._seed_layers(step)
        self._scale_averages(1 - BATCH_NORM_MOMENTUM**step)
        with engine.seeded(int(self._drawn(step, 0, 1)[0])):
            yield learn
        self._scale_averages(1 / (1 - BATCH_NORM_MOMENTUM**steps))

    def _seed_layers(self, step: int) -> None:
        """Let layers such as dropout draw their random numbers by seed and step alone."""
        weights = {id(variable) for variable in self._network.model.weights}
        states = [v for v in self._network.model.variables if id(v) not in weights]
        for number, state in enumerate(states):
            drawn = self._drawn(step, number + 1, int(np.prod(state.shape)))
            state.assign(drawn.reshape(state.shape).astype(str(state.dtype)))

    def _drawn(self, step: int, number: int, count: int) -> NDArray[np.uint32]:
        """Return numbers below 2³¹ that depend on seed, step and `number` alone."""
        stream = np.random.SeedSequence(self._seed, spawn_key=(_LAYERS, step, number))
        return stream.generate_state(count, np.uint32) >> np.uint32(1)

    def _scale_averages(self, factor: float) -> None:
        for layer in layers_of(self._network.model):
            if isinstance(layer, BatchNorm):
                for average in (layer.moving_mean, layer.moving_variance):
                    average.assign(average * factor)

    def evaluate(self, batch: Batch) -> None:
        """Evaluate a batch and add the result to the sums."""
        # By the function that predicts, so that no other is compiled.
        scores = self._network.scores(batch[0])
        self._said.append(self._losses(*map(ops.convert_to_tensor, (scores, batch[1])))[1])

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

"""Training steps with Adam and AdamW, for `speckle_networks.training`.

Adam's `weight_decay` adds factor · w to the gradient; with twice the decay as factor this is the
derivative of Keras' l2, ``decay · Σ w²``.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator

import attrs
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from speckle_core import IntArray
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
from speckle_torch.adam import BETAS, Adam, Moments
from speckle_torch.distributed import Team
from speckle_torch.framework import TorchNetwork
from speckle_torch.layers import BatchNorm
from speckle_torch.tensors import fill, to_arrays

#: Attributes of `Moments` by their prefixes in a checkpoint.
MOMENTS = {MEANS: "mean", SQUARES: "square"}
#: Key of the random stream of layers such as dropout, beside those of `speckle_networks.feed`.
_LAYERS = 3

Batch = tuple[Tensor, Tensor]


@attrs.define(eq=False)
class TorchTrainer:
    """Trains a network in place; `_joined` is its module synchronized with other processes."""

    _network: TorchNetwork
    _joined: nn.Module
    _team: Team
    _options: TrainingOptions
    _seed: int
    _weights: Floats | None
    _values: bool
    _optimizer: Adam = attrs.field(init=False)
    _sums: Tensor = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        network, decay = self._network, self._options.weight_decay
        decaying: list[nn.Parameter] = []
        others: list[nn.Parameter] = []
        for name, parameter in network.parameters.items():
            stored = network.classifier.stored_tensor(name, parameter)
            decays = network.classifier.decays(
                name if stored is None else stored[0], tuple(parameter.shape)
            )
            (decaying if decays else others).append(parameter)
        adamw = self._options.optimizer == "adamw"
        groups = [(decaying, decay if adamw else 2 * decay), (others, 0.0)]
        self._optimizer = Adam(groups, decoupled=adamw)
        self._sums = torch.zeros(2, device=network.device)

    @property
    def is_main(self) -> bool:
        """Whether this process writes files and reports for all."""
        return self._team.is_main

    def share(self, batch: IntArray) -> IntArray:
        """Return this process's part of a batch."""
        return self._team.share(batch)

    def stage(self, patterns: Floats, targets: IntArray | Floats) -> Batch:
        """Return a batch as tensors, in pinned memory for a GPU."""
        tensors = torch.from_numpy(patterns), torch.from_numpy(targets)
        if self._network.device.type == "cuda":
            tensors = tensors[0].pin_memory(), tensors[1].pin_memory()
        return tensors

    @contextlib.contextmanager
    def train_mode(self, step: int) -> Iterator[Learn]:
        """Provide the function that trains on a batch; the epoch starts at step `step`."""
        module = self._network.module
        norms = [m for m in module.modules() if isinstance(m, BatchNorm)]
        smoothing, steps, weights = self._options.label_smoothing, step, None
        if self._weights is not None:
            weights = torch.from_numpy(self._weights).to(self._network.device)

        def learn(batch: Batch, count: int, rate: float) -> None:
            nonlocal steps
            steps += 1
            for norm in norms:
                norm.begin_step(steps)
            self._optimizer.clear_gradients()
            scores, targets = self._scores(self._joined, batch)
            loss, right = self._sums_of(scores, targets)
            wanted = loss
            if self._values:
                each, logs = _likelihoods(scores, targets)
                # Else what is read badly is given up (Seitzer et al. 2022, arXiv:2203.09168).
                wanted = (each * logs.detach().exp()).sum()
            elif smoothing or weights is not None:
                each = functional.cross_entropy(
                    scores, targets, reduction="none", label_smoothing=smoothing
                )
                wanted = (each if weights is None else each * weights[targets]).sum()
            # Gradients are averaged over processes, each of which has its share of the batch.
            torch.autograd.backward(wanted * (self._team.size / count))
            # torch adds epsilon to the bias-corrected root, Keras to the uncorrected one.
            self._optimizer.step(rate, ADAM_EPSILON / math.sqrt(1 - BETAS[1] ** steps))
            self._sums += torch.stack([loss.detach(), right])

        module.train()
        with self._random(step):
            yield learn
        module.eval()

    @contextlib.contextmanager
    def _random(self, step: int) -> Iterator[None]:
        """Seed layers that draw random numbers by the step alone, and restore torch's state."""
        stream = np.random.SeedSequence(self._seed, spawn_key=(_LAYERS, step, self._team.rank))
        seed = int(stream.generate_state(1, np.uint64)[0] >> 1)
        device = self._network.device
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.default_generator.manual_seed(seed)
            if device.type == "cuda":
                with torch.cuda.device(device):
                    torch.cuda.manual_seed(seed)
            yield

    def evaluate(self, batch: Batch) -> None:
        """Evaluate a batch and add the result to the sums."""
        with torch.no_grad():
            self._sums += torch.stack(self._sums_of(*self._scores(self._network.module, batch)))

    def _sums_of(self, scores: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        return (_value_sums if self._values else _sums)(scores, targets)

    def _scores(self, module: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the scores of a batch and its targets."""
        patterns, targets = (t.to(self._network.device, non_blocking=True) for t in batch)
        return self._network.forward(module, patterns, coarse=True).float(), targets

    def sums(self) -> tuple[float, float]:
        """Return the sums since the last call."""
        loss, right = self._team.sum(self._sums).tolist()
        self._sums.zero_()
        return loss, right

    def moments(self) -> Weights:
        """Return copies of Adam's running means and squares."""
        found: Weights = {}
        for prefix, key in MOMENTS.items():
            moments = {
                name: getattr(self._optimizer.moments[p], key)
                for name, p in self._network.parameters.items()
            }
            stored = to_arrays(self._network.stored(moments))
            found |= {prefix + name: values for name, values in stored.items()}
        return found

    def restore(self, moments: Weights, steps: int) -> None:
        """Resume with these moments after `steps` steps."""
        for name, parameter in self._network.parameters.items():
            start = Moments.at_start(parameter)
            for prefix, key in MOMENTS.items():
                stored = self._network.stored({name: getattr(start, key)})
                fill(stored, {n: moments[prefix + n] for n in stored})
            start.steps.fill_(steps)
            self._optimizer.moments[parameter] = start


def _sums(scores: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return the summed cross-entropy and the number of correct patterns of a batch."""
    loss = functional.cross_entropy(scores, targets, reduction="sum")
    return loss, (scores.argmax(dim=1) == targets).sum()


def _likelihoods(scores: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return negative log likelihoods, without ln √2π, and logarithms of spreads, both (B,)."""
    logs = scores[:, 1].clamp(*SPREADS)
    return logs + 0.5 * (scores[:, 0] - targets) ** 2 * (-2 * logs).exp(), logs


def _value_sums(scores: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return the summed negative log likelihood, and 1 − squared error, of a batch."""
    squares = (scores[:, 0] - targets) ** 2
    return _likelihoods(scores, targets)[0].sum(), (1 - squares).sum()

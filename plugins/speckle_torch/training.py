"""Training steps with torch's Adam, for `speckle_resnet.training`.

Adam's `weight_decay` adds factor · w to the gradient; with twice the decay as factor this is the
derivative of Keras' l2, ``decay · Σ w²``.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import attrs
import torch
from torch import Tensor, nn
from torch.nn import functional

from speckle_core import IntArray
from speckle_resnet.architecture import BATCH_NORM_MOMENTUM, Weights, decays, trainable
from speckle_resnet.framework import ADAM_EPSILON, MEANS, SQUARES, Floats, Learn
from speckle_torch.distributed import Team
from speckle_torch.network import BatchNorm, ResNet, fill, named_tensors, to_arrays

#: The default of torch and Keras.
BETAS = (0.9, 0.999)
#: Names of the optimiser's state in a checkpoint.
MOMENTS = {MEANS: "exp_avg", SQUARES: "exp_avg_sq"}

Batch = tuple[Tensor, Tensor]


@attrs.define(eq=False)
class TorchTrainer:
    """Trains a network in place; `_joined` is the network synchronized with other processes."""

    _network: ResNet
    _joined: nn.Module
    _team: Team
    _device: torch.device
    _bfloat16: bool
    _decay: float
    _learned: dict[str, Tensor] = attrs.field(init=False)
    _optimizer: torch.optim.Adam = attrs.field(init=False)
    _sums: Tensor = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        tensors = named_tensors(self._network)
        self._learned = {name: t for name, t in tensors.items() if trainable(name)}
        decaying = [t for name, t in self._learned.items() if decays(name)]
        others = [t for name, t in self._learned.items() if not decays(name)]
        groups: list[dict[str, Any]] = [
            {"params": decaying, "weight_decay": 2 * self._decay},
            {"params": others},
        ]
        self._optimizer = torch.optim.Adam(groups, betas=BETAS, fused=True)
        self._sums = torch.zeros(2, device=self._device)

    @property
    def is_main(self) -> bool:
        """Whether this process writes files and reports for all."""
        return self._team.is_main

    def share(self, batch: IntArray) -> IntArray:
        """Return this process's part of a batch."""
        return self._team.share(batch)

    def stage(self, patterns: Floats, targets: IntArray) -> Batch:
        """Return a batch as tensors, in pinned memory for a GPU."""
        tensors = torch.from_numpy(patterns), torch.from_numpy(targets)
        if self._device.type == "cuda":
            tensors = tensors[0].pin_memory(), tensors[1].pin_memory()
        return tensors

    @contextlib.contextmanager
    def train_mode(self, step: int) -> Iterator[Learn]:
        """Provide the function that trains on a batch; the epoch starts at step `step`."""
        norms = [m for m in self._network.modules() if isinstance(m, BatchNorm)]
        steps = step

        def learn(batch: Batch, count: int, rate: float) -> None:
            nonlocal steps
            steps += 1
            for group in self._optimizer.param_groups:
                group["lr"] = rate
                # torch adds epsilon to the bias-corrected root, Keras to the uncorrected one.
                group["eps"] = ADAM_EPSILON / math.sqrt(1 - BETAS[1] ** steps)
            for norm in norms:
                norm.momentum = (1 - BATCH_NORM_MOMENTUM) / (1 - BATCH_NORM_MOMENTUM**steps)
            self._optimizer.zero_grad(set_to_none=True)
            loss, right = self._score(self._joined, batch)
            # Gradients are averaged over processes, each of which has its share of the batch.
            torch.autograd.backward(loss * (self._team.size / count))
            self._optimizer.step()
            self._sums += torch.stack([loss.detach(), right])

        self._network.train()
        yield learn
        self._network.eval()

    def evaluate(self, batch: Batch) -> None:
        """Evaluate a batch and add the result to the sums."""
        with torch.no_grad():
            self._sums += torch.stack(self._score(self._network, batch))

    def _score(self, module: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the summed cross-entropy and the number of correct patterns of a batch."""
        patterns, targets = (t.to(self._device, non_blocking=True) for t in batch)
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._bfloat16):
            scores = module(patterns)
        loss = functional.cross_entropy(scores.float(), targets, reduction="sum")
        return loss, (scores.argmax(dim=1) == targets).sum()

    def sums(self) -> tuple[float, float]:
        """Return the sums since the last call."""
        loss, right = self._team.sum(self._sums).tolist()
        self._sums.zero_()
        return loss, right

    def moments(self) -> Weights:
        """Return copies of Adam's running means and squares."""
        found: Weights = {}
        for prefix, key in MOMENTS.items():
            moments = {n: self._optimizer.state[t][key] for n, t in self._learned.items()}
            found |= {prefix + n: values for n, values in to_arrays(moments).items()}
        return found

    def restore(self, moments: Weights, steps: int) -> None:
        """Resume with these moments after `steps` steps."""
        for name, parameter in self._learned.items():
            state = {key: torch.empty_like(parameter) for key in MOMENTS.values()}
            for prefix, key in MOMENTS.items():
                fill({name: state[key]}, {name: moments[prefix + name]})
            step = torch.tensor(float(steps), device=parameter.device)
            self._optimizer.state[parameter] = {"step": step, **state}

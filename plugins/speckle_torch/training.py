"""Steps of torch's Adam over the network: what `speckle_resnet.training` leaves to a framework.

Adam's `weight_decay` adds its factor times w to the gradient, which is the derivative of Keras' l2,
``decay · Σ w²``, when the factor is twice the decay.
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

#: torch's own and Keras' default.
BETAS = (0.9, 0.999)
#: The optimiser's state by the words of a checkpoint.
MOMENTS = {MEANS: "exp_avg", SQUARES: "exp_avg_sq"}

Batch = tuple[Tensor, Tensor]


@attrs.define(eq=False)
class TorchTrainer:
    """Trains a network in place; `_joined` is the same network in step with other processes."""

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
    def leads(self) -> bool:
        """Whether this process writes and reports for all."""
        return self._team.leads

    def share(self, batch: IntArray) -> IntArray:
        """Return this process's part of a batch."""
        return self._team.share(batch)

    def staged(self, patterns: Floats, targets: IntArray) -> Batch:
        """Return a batch as tensors, pinned where a card will fetch them."""
        tensors = torch.from_numpy(patterns), torch.from_numpy(targets)
        if self._device.type == "cuda":
            tensors = tensors[0].pin_memory(), tensors[1].pin_memory()
        return tensors

    @contextlib.contextmanager
    def learning(self, step: int) -> Iterator[Learn]:
        """Give the function that learns a batch; the first one of the epoch is number `step`."""
        norms = [m for m in self._network.modules() if isinstance(m, BatchNorm)]
        steps = step

        def learn(batch: Batch, count: int, rate: float) -> None:
            nonlocal steps
            steps += 1
            for group in self._optimizer.param_groups:
                group["lr"] = rate
                # torch adds epsilon to the corrected root, Keras to the root as it is.
                group["eps"] = ADAM_EPSILON / math.sqrt(1 - BETAS[1] ** steps)
            for norm in norms:
                norm.momentum = (1 - BATCH_NORM_MOMENTUM) / (1 - BATCH_NORM_MOMENTUM**steps)
            self._optimizer.zero_grad(set_to_none=True)
            loss, right = self._score(self._joined, batch)
            # The processes' gradients are averaged, each over its share of the batch.
            torch.autograd.backward(loss * (self._team.size / count))
            self._optimizer.step()
            self._sums += torch.stack([loss.detach(), right])

        self._network.train()
        yield learn
        self._network.eval()

    def judge(self, batch: Batch) -> None:
        """Add what the network says of a batch to the sums."""
        with torch.no_grad():
            self._sums += torch.stack(self._score(self._network, batch))

    def _score(self, module: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the summed cross-entropy of a batch, and how many it gets right."""
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
        """Go on from these moments after so many steps."""
        for name, parameter in self._learned.items():
            state = {key: torch.empty_like(parameter) for key in MOMENTS.values()}
            for prefix, key in MOMENTS.items():
                fill({name: state[key]}, {name: moments[prefix + name]})
            step = torch.tensor(float(steps), device=parameter.device)
            self._optimizer.state[parameter] = {"step": step, **state}

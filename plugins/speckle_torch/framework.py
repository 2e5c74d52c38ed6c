"""The network in PyTorch, with NumPy arrays in and out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Literal

import attrs
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from speckle_core import IntArray, team_size
from speckle_resnet.architecture import Plan, Weights
from speckle_resnet.framework import Floats, Network, Trainer
from speckle_torch.device import choose_device, limited_memory, uses_bfloat16
from speckle_torch.distributed import join_team
from speckle_torch.network import GuidedReLU, ResNet, build, fill, named_tensors, to_arrays
from speckle_torch.training import TorchTrainer


@attrs.frozen
class TorchFramework:
    """PyTorch, on one device and in one precision."""

    device: torch.device
    bfloat16: bool

    @classmethod
    def chosen(
        cls, device: str, precision: Literal["auto", "float32", "bfloat16"]
    ) -> TorchFramework:
        """Return the framework for the given options.

        Raises
        ------
        OptionError
            When this machine has no such device.
        """
        place = choose_device(device)
        return cls(place, uses_bfloat16(precision, place))

    @property
    def name(self) -> str:
        """Its name in a checkpoint."""
        return "torch"

    @property
    def processes(self) -> int:
        """Number of processes that torchrun started."""
        return team_size()

    def network(self, plan: Plan, channels: int, classes: int, weights: Weights) -> TorchNetwork:
        """Return a new network with these weights."""
        module = build(plan, channels, classes, weights).to(self.device)
        return TorchNetwork(module.eval().requires_grad_(False), self.device, self.bfloat16)

    @contextlib.contextmanager
    def training(self, network: Network, weight_decay: float) -> Iterator[Trainer]:
        """Provide the trainer of the network, synchronized with the other processes of torchrun."""
        assert isinstance(network, TorchNetwork)
        module = network.module
        with join_team(self.device) as team, network.computing():
            module.requires_grad_(True)
            joined = team.joined(module, self.device)
            try:
                yield TorchTrainer(module, joined, team, self.device, self.bfloat16, weight_decay)
            finally:
                team.leave(module)
                module.zero_grad(set_to_none=True)
                module.eval().requires_grad_(False)


@attrs.frozen(eq=False)
class TorchNetwork:
    """One network on a device; gradients and maps are always computed in float32."""

    module: ResNet
    device: torch.device
    bfloat16: bool

    @property
    def pixels_at_once(self) -> int:
        """Number of pixels in one forward pass, limited by the expected memory."""
        return 2**24 if self.device.type == "cuda" else 2**20

    @contextlib.contextmanager
    def computing(self) -> Iterator[None]:
        """Turn an out-of-memory error into a `ModelError`."""
        with limited_memory():
            yield

    def weights(self) -> Weights:
        """Return a copy of every tensor."""
        return to_arrays(named_tensors(self.module))

    def fill(self, weights: Weights) -> None:
        """Copy these tensors into the network."""
        fill(named_tensors(self.module), weights)

    def scores(self, patterns: Floats) -> Floats:
        """Return the linear class scores, (B, classes)."""
        with torch.no_grad(), torch.autocast(self.device.type, torch.bfloat16, self.bfloat16):
            scores = self.module(self._tensor(patterns))
        return _array(scores)

    def input_gradients(self, patterns: Floats, targets: IntArray, *, guided: bool) -> Floats:
        """Return d score[target] / d pattern, (B, ny, nx)."""
        values = self._tensor(patterns).requires_grad_()
        scores = self.module(values, GuidedReLU.apply if guided else functional.relu)
        return _array(self._gradient(scores, targets, values))

    def feature_maps(
        self, patterns: Floats, targets: IntArray, stage: int
    ) -> tuple[Floats, Floats]:
        """Return the maps of a stage and d score[target] / d maps, both (B, c, h, w)."""
        name = self.module.stages[stage - 1]
        with torch.no_grad():
            maps = self.module.features(self._tensor(patterns), until=name)
        maps.requires_grad_()
        scores = self.module.head(maps, after=name)
        return _array(maps), _array(self._gradient(scores, targets, maps))

    def _tensor(self, values: Floats) -> Tensor:
        return torch.tensor(values, device=self.device)

    def _gradient(self, scores: Tensor, targets: IntArray, of: Tensor) -> Tensor:
        """Return the gradient of the sum of each pattern's score in its column."""
        columns = torch.tensor(np.asarray(targets), device=self.device)
        (found,) = torch.autograd.grad(scores.gather(1, columns[:, None]).sum(), of)
        return found


def _array(tensor: Tensor) -> Floats:
    return tensor.detach().float().cpu().numpy()

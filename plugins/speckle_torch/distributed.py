"""Training with several processes started by torchrun.

Each process takes its share of every batch, and batch norm uses the whole batch, so the loss equals
that of a single process with the same batch. Without torchrun nothing here has an effect.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import attrs
import numpy as np
import torch
import torch.distributed
import torch.distributed.nn.functional
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

from speckle_core import IntArray, team_size
from speckle_torch.network import BatchNorm, ResNet


@attrs.frozen
class Team:
    """The processes of one training; a team of one without torchrun."""

    rank: int
    size: int

    @property
    def is_main(self) -> bool:
        """Whether this process writes files and reports for all."""
        return self.rank == 0

    def share(self, batch: IntArray) -> IntArray:
        """Return this process's part of a batch."""
        return np.array_split(batch, self.size)[self.rank]

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum over all processes."""
        if self.size > 1:
            torch.distributed.all_reduce(values)
        return values

    def joined(self, network: ResNet, device: torch.device) -> nn.Module:
        """Return the network synchronized with other processes: equal gradients and averages."""
        if self.size == 1:
            return network
        for module in network.modules():
            if isinstance(module, BatchNorm):
                module.compute = batch_norm_over_all
        return DistributedDataParallel(
            network, device_ids=[device] if device.type == "cuda" else None, broadcast_buffers=False
        )

    def leave(self, network: ResNet) -> None:
        """Make the network independent of the other processes again."""
        for module in network.modules():
            if isinstance(module, BatchNorm):
                module.compute = functional.batch_norm


@contextlib.contextmanager
def join_team(device: torch.device) -> Iterator[Team]:
    """Provide the team defined by torchrun's environment; gloo is used on CPUs, nccl on GPUs."""
    size = team_size()
    if size == 1:
        yield Team(0, 1)
        return
    ours = not torch.distributed.is_initialized()
    if ours:
        torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Team(torch.distributed.get_rank(), size)
        # A process that exits while another is still reducing would leave that one waiting forever.
        torch.distributed.barrier()
    finally:
        if ours:
            torch.distributed.destroy_process_group()


def batch_norm_over_all(
    x: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    weight: Tensor,
    bias: Tensor,
    training: bool,
    momentum: float,
    eps: float,
) -> Tensor:
    """`torch.nn.functional.batch_norm` with mean and variance over the batches of all processes.

    torch's own SyncBatchNorm needs GPUs; this also runs on gloo. Gradients cross processes, since
    each pattern affects the mean over all.
    """
    if not training:
        return functional.batch_norm(
            x, running_mean, running_var, weight, bias, False, momentum, eps
        )
    over, each = (0, 2, 3), (1, -1, 1, 1)
    values = x.float()
    ones = values.new_full((1,), values.numel() / values.shape[1])
    total = _all(torch.cat([values.sum(over), ones]))
    count = total[-1].detach()
    mean = total[:-1] / count
    centered = values - mean.view(each)
    variance = _all(centered.square().sum(over)) / count
    with torch.no_grad():
        running_mean.lerp_(mean, momentum)
        running_var.lerp_(variance * count / (count - 1), momentum)
    scale = weight * torch.rsqrt(variance + eps)
    return (centered * scale.view(each) + bias.view(each)).to(x.dtype)


def _all(values: Tensor) -> Tensor:
    # torch has no annotations for this function.
    total: Tensor = torch.distributed.nn.functional.all_reduce(values)  # type: ignore[no-untyped-call]
    return total

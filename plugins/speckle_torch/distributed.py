"""Training with several processes started by torchrun.

Each process takes its share of every batch, and batch norm uses the whole batch, so the loss equals
that of a single process with the same batch. Without torchrun nothing here has an effect.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator

import attrs
import numpy as np
import torch
import torch.distributed
import torch.distributed.nn.functional
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

from speckle_core import IntArray, team_size


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

    def joined(self, network: nn.Module, device: torch.device) -> nn.Module:
        """Return the network synchronized with other processes: equal gradients and averages."""
        if self.size == 1:
            return network
        for norm in _batch_norms(network):
            # An attribute of the one module, which hides the method of its class.
            norm.forward = functools.partial(batch_norm_over_all, norm)  # type: ignore[method-assign]
        return DistributedDataParallel(
            network, device_ids=[device] if device.type == "cuda" else None, broadcast_buffers=False
        )

    def leave(self, network: nn.Module) -> None:
        """Make the network independent of the other processes again."""
        for norm in _batch_norms(network):
            norm.__dict__.pop("forward", None)


def _batch_norms(network: nn.Module) -> list[_BatchNorm]:
    return [module for module in network.modules() if isinstance(module, _BatchNorm)]


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


def batch_norm_over_all(norm: _BatchNorm, x: Tensor) -> Tensor:
    """Return what `norm` gives, with mean and variance over the batches of all processes.

    torch's own SyncBatchNorm needs GPUs; this also runs on gloo. Gradients cross processes, since
    each pattern affects the mean over all.
    """
    if not norm.training:
        found: Tensor = type(norm).forward(norm, x)
        return found
    over = (0, *range(2, x.ndim))
    each = (1, -1, *(1 for _ in range(2, x.ndim)))
    values = x.float()
    ones = values.new_full((1,), values.numel() / values.shape[1])
    total = _all(torch.cat([values.sum(over), ones]))
    count = total[-1].detach()
    mean = total[:-1] / count
    centered = values - mean.view(each)
    variance = _all(centered.square().sum(over)) / count
    _average(norm, mean, variance * count / (count - 1))
    scaled = centered * torch.rsqrt(variance + norm.eps).view(each)
    if norm.affine:
        scaled = scaled * norm.weight.view(each) + norm.bias.view(each)
    return scaled.to(x.dtype)


def _average(norm: _BatchNorm, mean: Tensor, variance: Tensor) -> None:
    """Move the averages of `norm`, if it has any, towards those of a batch."""
    if norm.running_mean is None or norm.running_var is None:
        return
    with torch.no_grad():
        assert norm.num_batches_tracked is not None
        norm.num_batches_tracked += 1
        # Without a momentum all batches count the same.
        share = 1 / norm.num_batches_tracked if norm.momentum is None else norm.momentum
        norm.running_mean.lerp_(mean, share)
        norm.running_var.lerp_(variance, share)


def _all(values: Tensor) -> Tensor:
    # torch has no annotations for this function.
    total: Tensor = torch.distributed.nn.functional.all_reduce(values)  # type: ignore[no-untyped-call]
    return total

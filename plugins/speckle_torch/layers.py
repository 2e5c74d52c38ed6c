"""Layers and rules that networks share: batch norm, and the guided ReLU."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

#: Defaults of the Keras version that the paper's authors used.
EPSILON, MOMENTUM = 1e-3, 0.99


class BatchNorm(nn.BatchNorm2d):
    """Batch normalisation with Keras' epsilon and momentum, and bias-corrected averages.

    Keras' averages start at mean 0 and variance 1 and decay with 0.99 per step, so after a few
    hundred steps predictions still depend on the initial values. Here step t has the weight
    0.01 / (1 - 0.99^t), as in Adam: the first step replaces the initial values, and after about
    five hundred steps the weight is Keras' 0.01. Training tells it the step.
    """

    def __init__(self, width: int) -> None:
        super().__init__(width, eps=EPSILON, momentum=1 - MOMENTUM)

    def begin_step(self, step: int) -> None:
        """Set the weight of training step number `step`, from 1."""
        self.momentum = (1 - MOMENTUM) / (1 - MOMENTUM**step)


class GuidedReLU(torch.autograd.Function):
    """ReLU that passes back only positive gradients (Springenberg et al., 2015)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Return the positive part of `x`."""
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Return the positive part of the gradient where the input was positive."""
        x: Tensor = ctx.saved_tensors[0]
        return gradient.clamp(min=0) * (x > 0)


_RELUS: frozenset[Callable[..., Any]] = frozenset(
    {functional.relu, functional.relu_, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_}
)


class GuidedMode(TorchFunctionMode):
    """Within its ``with`` statement every ReLU, module or function, is a `GuidedReLU`."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call `func`, or the guided ReLU in its place."""
        given = dict(kwargs or {})
        if func in _RELUS:
            # torch has no annotations for this method.
            return GuidedReLU.apply(*args[:1], *([given["input"]] if "input" in given else []))  # type: ignore[no-untyped-call]
        return func(*args, **given)

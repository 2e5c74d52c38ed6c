"""Adam and AdamW by torch's function; its classes import its compiler, which takes two seconds."""

from __future__ import annotations

import attrs
import torch
from torch import Tensor
from torch.optim.adam import adam

#: The default of torch and Keras.
BETAS = (0.9, 0.999)


@attrs.frozen
class Moments:
    """What Adam remembers of a parameter: running mean and square, and its number of steps."""

    mean: Tensor
    square: Tensor
    steps: Tensor

    @classmethod
    def at_start(cls, parameter: Tensor) -> Moments:
        """Return those before the first step."""
        mean, square = torch.zeros_like(parameter), torch.zeros_like(parameter)
        return cls(mean, square, torch.zeros((), device=parameter.device))


@attrs.define(eq=False)
class Adam:
    """Adam, or with `decoupled` AdamW, for parameters in groups that share a weight decay.

    With Adam, decay times a weight is added to its gradient.
    """

    groups: list[tuple[list[torch.nn.Parameter], float]]
    decoupled: bool
    moments: dict[Tensor, Moments] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.moments = {p: Moments.at_start(p) for group, _ in self.groups for p in group}

    def clear_gradients(self) -> None:
        """Forget the gradients of the last step."""
        for parameter in self.moments:
            parameter.grad = None

    @torch.no_grad()
    def step(self, rate: float, epsilon: float) -> None:
        """Update all parameters that have a gradient."""
        for group, decay in self.groups:
            reached = [p for p in group if p.grad is not None]
            if not reached:
                continue
            moments = [self.moments[p] for p in reached]
            adam(
                list(reached),
                [p.grad for p in reached if p.grad is not None],
                [m.mean for m in moments],
                [m.square for m in moments],
                [],
                [m.steps for m in moments],
                fused=True,
                decoupled_weight_decay=self.decoupled,
                amsgrad=False,
                beta1=BETAS[0],
                beta2=BETAS[1],
                lr=rate,
                weight_decay=decay,
                eps=epsilon,
                maximize=False,
            )

"""The training loop: plain torch, one epoch after the other, able to go on after a kill.

The loss is cross-entropy plus weight decay as Keras' l2 has it, ``decay · Σ w²`` over kernels; the
reported losses are the cross-entropy alone, so that training, validation and settings compare.
Adam's `weight_decay` adds its factor times w to the gradient, which is that term's derivative when
the factor is twice the decay. Must not know of files beyond the checkpoint.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from speckle_core.errors import ModelError, PatternError
from speckle_core.patterns import PatternSet
from speckle_core.roles import Epoch, IntArray, OnEpoch
from speckle_torch import feed
from speckle_torch.architecture import BATCH_NORM_MOMENTUM, Weights, trainable
from speckle_torch.checkpoint import Checkpoint, State
from speckle_torch.distributed import Team
from speckle_torch.inference import pixels_at_once
from speckle_torch.network import BatchNorm, ResNet, fill, named_tensors, to_arrays
from speckle_torch.schedule import learning_rate, stops

if TYPE_CHECKING:
    from speckle_torch.resnet50 import TorchResNet50

#: Keras' Adam; torch's own default is 1e-8.
EPSILON = 1e-7
#: The optimiser's state in a checkpoint, beside the weights under their own names.
MOMENTS = {"adam.mean.": "exp_avg", "adam.square.": "exp_avg_sq"}

Batch = tuple[Tensor, Tensor]


@attrs.define(eq=False)
class Training:
    """One training of `network`, in place, by the options of a classifier.

    `best` holds the weights of the epoch with the least validation loss, and stays None without a
    validation set.
    """

    options: TorchResNet50
    network: ResNet
    device: torch.device
    bfloat16: bool
    team: Team
    train: PatternSet
    valid: PatternSet
    seed: int
    history: list[Epoch] = attrs.field(init=False, factory=list)
    best: Weights | None = attrs.field(init=False, default=None)
    best_epoch: int = attrs.field(init=False, default=0)
    _tensors: dict[str, Tensor] = attrs.field(init=False)
    _learned: dict[str, Tensor] = attrs.field(init=False)
    _optimizer: torch.optim.Adam = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._tensors = named_tensors(self.network)
        self._learned = {name: t for name, t in self._tensors.items() if trainable(name)}
        kernels = [t for name, t in self._learned.items() if name.endswith(".kernel")]
        others = [t for name, t in self._learned.items() if not name.endswith(".kernel")]
        self._optimizer = torch.optim.Adam(
            [
                {"params": kernels, "weight_decay": 2 * self.options.weight_decay},
                {"params": others},
            ],
            eps=EPSILON,
            fused=True,
        )

    def run(self, checkpoint: Checkpoint | None, on_epoch: OnEpoch | None) -> None:
        """Train to the end, from the checkpoint's last epoch if it has one.

        Raises
        ------
        ModelError
            When the checkpoint cannot be used, or the loss is no longer finite.
        """
        if checkpoint is not None:
            self._resume(checkpoint)
        if self._finished():
            return
        module = self.team.joined(self.network, self.device)
        try:
            while not self._finished():
                self.history.append(self._epoch(module))
                if checkpoint is not None and self.team.leads:
                    checkpoint.write(self._state())
                if on_epoch is not None and self.team.leads:
                    on_epoch(self.history[-1])
        finally:
            self.team.leave(self.network)

    def _finished(self) -> bool:
        return len(self.history) >= self.options.epochs or stops(
            self._losses(), self.options.early_stopping
        )

    def _losses(self) -> list[float]:
        """Return what schedule and early stopping watch, one value per epoch."""
        return [e.loss if math.isnan(e.valid_loss) else e.valid_loss for e in self.history]

    def _epoch(self, module: nn.Module) -> Epoch:
        start, options, number = time.perf_counter(), self.options, len(self.history) + 1
        loss, accuracy, rate = self._learn(module, number)
        if not math.isfinite(loss):
            raise ModelError(
                f"the loss became {loss} in epoch {number}",
                where="training",
                hint=f"Lower learning_rate = {options.learning_rate}, or use precision = 'float32'",
            )
        valid_loss, valid_accuracy = self._validate()
        if valid_loss < min((e.valid_loss for e in self.history), default=math.inf):
            self.best, self.best_epoch = to_arrays(self._tensors), number
        return Epoch(
            number=number,
            of=options.epochs,
            loss=loss,
            accuracy=accuracy,
            valid_loss=valid_loss,
            valid_accuracy=valid_accuracy,
            seconds=time.perf_counter() - start,
            learning_rate=rate,
        )

    def _learn(self, module: nn.Module, number: int) -> tuple[float, float, float]:
        """Visit every training pattern once; return mean loss, accuracy and the last rate."""
        options, count, losses = self.options, len(self.train), self._losses()
        order = feed.shuffled(count, self.seed, number)
        batches = feed.split(order, options.batch_size, 2 * self.team.size)
        turns = feed.mirrors(count, self.seed, number) if options.augment == "flips" else None
        norms = [m for m in self.network.modules() if isinstance(m, BatchNorm)]
        steps, first = len(batches) * options.epochs, len(batches) * (number - 1)
        rate = options.learning_rate
        sums = torch.zeros(2, device=self.device)
        self.network.train()
        with self._fed(self.train, batches, turns) as fed:
            for step, (whole, batch) in enumerate(zip(batches, fed, strict=True), start=first):
                rate = learning_rate(options.schedule, options.learning_rate, step, steps, losses)
                for group in self._optimizer.param_groups:
                    group["lr"] = rate
                weight = (1 - BATCH_NORM_MOMENTUM) / (1 - BATCH_NORM_MOMENTUM ** (step + 1))
                for norm in norms:
                    norm.momentum = weight
                self._optimizer.zero_grad(set_to_none=True)
                loss, right = self._score(module, batch)
                # The processes' gradients are averaged, each over its share of the batch.
                (loss * (self.team.size / len(whole))).backward()
                self._optimizer.step()
                sums += torch.stack([loss.detach(), right])
        loss_sum, right_sum = self.team.sum(sums).tolist()
        return loss_sum / count, right_sum / count, rate

    def _validate(self) -> tuple[float, float]:
        """Return mean loss and accuracy on the validation set; NaN without one."""
        count = len(self.valid)
        if count == 0:
            return math.nan, math.nan
        sums = torch.zeros(2, device=self.device)
        self.network.eval()
        side = self.options.crop or self.valid.grid.size
        size = max(1, pixels_at_once(self.device) // side**2) * self.team.size
        batches = feed.split(np.arange(count), size, self.team.size)
        with self._fed(self.valid, batches, None) as fed, torch.no_grad():
            for batch in fed:
                sums += torch.stack(self._score(self.network, batch))
        loss_sum, right_sum = self.team.sum(sums).tolist()
        return loss_sum / count, right_sum / count

    def _score(self, module: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the summed cross-entropy of a batch, and how many it gets right."""
        patterns, targets = (t.to(self.device, non_blocking=True) for t in batch)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            scores = module(patterns)
        loss = functional.cross_entropy(scores.float(), targets, reduction="sum")
        return loss, (scores.argmax(dim=1) == targets).sum()

    def _fed(
        self, patterns: PatternSet, batches: list[IntArray], turns: IntArray | None
    ) -> contextlib.AbstractContextManager[Iterator[Batch]]:
        """Give this process's share of each batch, read and prepared ahead of time."""
        window = feed.window(patterns.grid.shape, self.options.crop)
        targets = self.train.classes.searchsorted(patterns.labels)
        pinned = self.device.type == "cuda"

        def read(batch: IntArray) -> Batch:
            share = self.team.share(batch)
            values = patterns.batch(share)[0][:, *window]
            if not np.isfinite(values).all():
                raise PatternError(
                    "a prepared pattern holds NaN or infinity",
                    where="training",
                    hint="A step of `prepare` makes it: the raw pattern was finite.",
                )
            if turns is not None:
                values = feed.mirrored(values, turns[share])
            tensors = (
                torch.from_numpy(np.ascontiguousarray(values)),
                torch.from_numpy(targets[share]),
            )
            return (tensors[0].pin_memory(), tensors[1].pin_memory()) if pinned else tensors

        return feed.ahead(read, batches)

    def _state(self) -> State:
        tensors = to_arrays(self._tensors)
        for prefix, key in MOMENTS.items():
            moments = {n: self._optimizer.state[t][key] for n, t in self._learned.items()}
            tensors |= {prefix + n: values for n, values in to_arrays(moments).items()}
        return State(self.history, tensors, self.best, self.best_epoch)

    def _resume(self, checkpoint: Checkpoint) -> None:
        shapes = {name: values.shape for name, values in to_arrays(self._tensors).items()}
        moments = {p + name: shapes[name] for p in MOMENTS for name in self._learned}
        state = checkpoint.read({**shapes, **moments}, shapes)
        if state is None:
            return
        self.history, self.best, self.best_epoch = state.history, state.best, state.best_epoch
        fill(self._tensors, state.tensors)
        batches = feed.split(
            np.arange(len(self.train)), self.options.batch_size, 2 * self.team.size
        )
        steps = float(len(batches) * len(self.history))
        for name, parameter in self._learned.items():
            moments_of = {key: torch.empty_like(parameter) for key in MOMENTS.values()}
            for prefix, key in MOMENTS.items():
                fill({name: moments_of[key]}, {name: state.tensors[prefix + name]})
            step = torch.tensor(steps, device=parameter.device)
            self._optimizer.state[parameter] = {"step": step, **moments_of}

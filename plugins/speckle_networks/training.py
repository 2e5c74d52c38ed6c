"""The training loop for all frameworks: epochs, batches, schedule, checkpoint, best weights.

The loss is cross-entropy, with weight decay in its gradients. The reported losses are
cross-entropies only, so that training, validation and different settings are comparable. Where a
value is learned the loss is the negative log likelihood of a normal density, and the "accuracy" of
an epoch is 1 − mean squared error over the variance of the training values. A
`Trainer` does what depends on the framework.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator
from typing import Any

import attrs
import numpy as np

from speckle_core import Epoch, IntArray, ModelError, OnEpoch, PatternError, PatternSet
from speckle_networks import feed
from speckle_networks.checkpoint import Checkpoint, State
from speckle_networks.framework import MEANS, SQUARES, Floats, Network, Trainer, Weights
from speckle_networks.options import TrainingOptions
from speckle_networks.recipe import Standard
from speckle_networks.schedule import learning_rate, stops


def balanced_weights(train: PatternSet) -> Floats:
    """Return the weight of each class, (classes,): 1 on average over the training patterns.

    It is N / (classes · N_c), as scikit-learn's ``class_weight="balanced"``.
    """
    counts = np.bincount(train.targets, minlength=len(train.classes))
    present = counts > 0
    weights = np.zeros(len(counts), dtype=np.float32)
    weights[present] = len(train) / (np.count_nonzero(present) * counts[present])
    return weights


@attrs.define(eq=False)
class Training:
    """One training with the options of a classifier.

    `best` are the weights of the epoch with the lowest validation loss; None without a validation
    set.
    """

    options: TrainingOptions
    network: Network
    trainer: Trainer
    train: PatternSet
    valid: PatternSet
    seed: int
    processes: int = 1
    standard: Standard | None = None
    history: list[Epoch] = attrs.field(init=False, factory=list)
    best: Weights | None = attrs.field(init=False, default=None)
    best_epoch: int = attrs.field(init=False, default=0)

    def run(self, checkpoint: Checkpoint | None, on_epoch: OnEpoch | None) -> None:
        """Train to the end, from the last epoch of the checkpoint if there is one.

        Raises
        ------
        ModelError
            When the checkpoint cannot be used, or the loss is no longer finite.
        """
        if checkpoint is not None:
            self._resume(checkpoint)
        while not self._finished():
            self.history.append(self._epoch())
            if checkpoint is not None and self.trainer.is_main:
                tensors = self.network.weights() | self.trainer.moments()
                checkpoint.write(State(self.history, tensors, self.best, self.best_epoch))
            if on_epoch is not None and self.trainer.is_main:
                on_epoch(self.history[-1])

    def _finished(self) -> bool:
        return len(self.history) >= self.options.epochs or stops(
            self._losses(), self.options.early_stopping
        )

    def _losses(self) -> list[float]:
        """Return the loss monitored by schedule and early stopping, one value per epoch."""
        return [e.loss if math.isnan(e.valid_loss) else e.valid_loss for e in self.history]

    def _epoch(self) -> Epoch:
        start, options, number = time.perf_counter(), self.options, len(self.history) + 1
        loss, accuracy, rate = self._learn(number)
        if not math.isfinite(loss):
            raise ModelError(
                f"the loss became {loss} in epoch {number}",
                where="training",
                hint=f"Lower learning_rate = {options.learning_rate:g}"
                + (", or use precision = 'float32'." if options.precision != "float32" else "."),
            )
        valid_loss, valid_accuracy = self._validate()
        if valid_loss < min((e.valid_loss for e in self.history), default=math.inf):
            self.best, self.best_epoch = self.network.weights(), number
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

    def _batches(self, order: IntArray) -> list[IntArray]:
        # A batch of one has no variance for batch norm, and each process needs its share.
        return feed.split(order, self.options.batch_size, 2 * self.processes)

    def _learn(self, number: int) -> tuple[float, float, float]:
        """Train on every pattern once; return mean loss, accuracy and the last learning rate."""
        options, count, losses = self.options, len(self.train), self._losses()
        batches = self._batches(feed.shuffled(count, self.seed, number))
        turns = feed.mirrors(count, self.seed, number) if options.augment == "flips" else None
        steps, first = len(batches) * options.epochs, len(batches) * (number - 1)
        rate = options.learning_rate
        train = self.train.at_epoch(number)
        with self._fed(train, batches, turns) as fed, self.trainer.train_mode(first) as learn:
            for step, (whole, batch) in enumerate(zip(batches, fed, strict=True), start=first):
                rate = learning_rate(options.schedule, options.learning_rate, step, steps, losses)
                learn(batch, len(whole), rate)
        loss, right = self.trainer.sums()
        return loss / count, right / count, rate

    def _validate(self) -> tuple[float, float]:
        """Return mean loss and accuracy on the validation set, or NaN without one."""
        count = len(self.valid)
        if count == 0:
            return math.nan, math.nan
        rows, columns = self.options.view.window(self.valid.grid.shape)
        pixels = (rows.stop - rows.start) * (columns.stop - columns.start)
        size = max(1, self.network.pixels_at_once // pixels) * self.processes
        batches = feed.split(np.arange(count), size, self.processes)
        with self._fed(self.valid, batches, None) as fed:
            for batch in fed:
                self.trainer.evaluate(batch)
        loss, right = self.trainer.sums()
        return loss / count, right / count

    def _fed(
        self, patterns: PatternSet, batches: list[IntArray], turns: IntArray | None
    ) -> contextlib.AbstractContextManager[Iterator[Any]]:
        """Provide this process's share of each batch, prefetched."""
        view = self.options.view
        square = view.square(patterns.grid.shape)
        targets = self._targets(patterns)

        def read(batch: IntArray) -> Any:
            share = self.trainer.share(batch)
            values = patterns.batch(share)[0][:, *square]
            if not np.isfinite(values).all():
                raise PatternError(
                    "a prepared pattern contains NaN or infinity",
                    where="training",
                    hint="A preparation step caused it; the raw pattern was finite.",
                )
            if turns is not None:
                values = feed.mirrored(values, turns[share])
            return self.trainer.stage(np.ascontiguousarray(view.of_square(values)), targets[share])

        return feed.ahead(read, batches)

    def _targets(self, patterns: PatternSet) -> IntArray | Floats:
        """Return the column of each pattern's class, or its standardised value."""
        if self.standard is None:
            return self.train.classes.searchsorted(patterns.labels)
        assert patterns.values is not None
        return ((patterns.values - self.standard.mean) / self.standard.spread).astype(np.float32)

    def _resume(self, checkpoint: Checkpoint) -> None:
        like, learned = self.network.weights(), self.network.learned
        moments = {p + n: like[n] for p in (MEANS, SQUARES) for n in like if n in learned}
        state = checkpoint.read({**like, **moments}, like)
        if state is None:
            return
        self.history, self.best, self.best_epoch = state.history, state.best, state.best_epoch
        batches = self._batches(np.arange(len(self.train)))
        self.network.fill({name: state.tensors[name] for name in like})
        moments_of = {name: state.tensors[name] for name in moments}
        self.trainer.restore(moments_of, len(batches) * len(self.history))

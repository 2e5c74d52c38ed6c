"""What a framework plugin must implement; everything else is shared.

The protocols use NumPy arrays. Must not import a framework.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from speckle_core import IntArray, PluginError
from speckle_networks.options import TrainingOptions

#: Tensors by name.
Weights = dict[str, NDArray[Any]]
Floats = NDArray[np.float32]
#: Trains on a batch, given its number of patterns over all processes and the learning rate.
Learn = Callable[[Any, int, float], None]

#: Prefixes of Adam's state in a checkpoint, which also has the weights.
MEANS, SQUARES = "adam.mean.", "adam.square."
#: Epsilon of Keras' Adam, which the authors used; it is added to the root of the running square
#: before the bias correction.
ADAM_EPSILON = 1e-7


#: Least and largest logarithm of a value's spread, in units of the training values' own.
SPREADS = (-5.0, 1.0)


class Network(Protocol):
    """One network in its framework's memory; patterns are (B, ny, nx)."""

    @property
    def pixels_at_once(self) -> int:
        """Number of pixels in one forward pass, limited by the expected memory."""
        ...

    def computing(self) -> contextlib.AbstractContextManager[None]:
        """Wrap all computations of the network; out-of-memory errors raise `ModelError`."""
        ...

    @property
    def learned(self) -> frozenset[str]:
        """Names of the tensors that the optimiser trains; others are averages and the like."""
        ...

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers whose maps can be shown; the last one is the default."""
        ...

    def weights(self) -> Weights:
        """Return a copy of every tensor that files hold."""
        ...

    def fill(self, weights: Weights) -> None:
        """Copy these tensors into the network."""
        ...

    def scores(self, patterns: Floats) -> Floats:
        """Return the linear class scores, (B, classes), in the precision of the options."""
        ...

    def input_gradients(self, patterns: Floats, targets: IntArray, *, guided: bool) -> Floats:
        """Return d score[target] / d pattern, (B, ny, nx), in float32."""
        ...

    def feature_maps(
        self, patterns: Floats, targets: IntArray, layer: str
    ) -> tuple[Floats, Floats]:
        """Return what a layer puts out and d score[target] / d maps, both (B, c, h, w), float32."""
        ...


class Trainer(Protocol):
    """Steps of Adam for one network, and sums over batches.

    The sums are of cross-entropies and of correct patterns, over all processes. Of values they are
    of the negative log likelihoods of normal densities and of 1 − squared error.
    """

    @property
    def is_main(self) -> bool:
        """Whether this process writes files and reports for all."""
        ...

    def share(self, batch: IntArray) -> IntArray:
        """Return this process's part of a batch."""
        ...

    def stage(self, patterns: Floats, targets: IntArray | Floats) -> Any:
        """Return a batch ready for training or evaluation; called by the prefetching thread."""
        ...

    def train_mode(self, step: int) -> contextlib.AbstractContextManager[Learn]:
        """Provide the function that trains on a batch, for an epoch whose first step is `step`.

        Outside the block, weights and averages are those for prediction.
        """
        ...

    def evaluate(self, batch: Any) -> None:
        """Evaluate a batch and add the result to the sums."""
        ...

    def sums(self) -> tuple[float, float]:
        """Return the sums since the last call."""
        ...

    def moments(self) -> Weights:
        """Return copies of Adam's running means and squares, under `MEANS` and `SQUARES`."""
        ...

    def restore(self, moments: Weights, steps: int) -> None:
        """Resume with these moments after `steps` steps."""
        ...


class Framework(Protocol):
    """A framework on one device, in one precision."""

    @property
    def name(self) -> str:
        """Its name in a checkpoint; other frameworks round differently."""
        ...

    @property
    def bfloat16(self) -> bool:
        """Whether convolutions multiply in bfloat16."""
        ...

    @property
    def processes(self) -> int:
        """Number of processes that share each batch."""
        ...

    def network(
        self, classifier: Any, shape: tuple[int, int], classes: int, seed: int | None
    ) -> Network:
        """Return a new network with the first weights of `seed`; no random state is changed.

        Without a seed its weights are to be filled. `shape` is that of the pixels that are read.
        """
        ...

    def training(
        self,
        network: Network,
        options: TrainingOptions,
        seed: int,
        weights: Floats | None,
        *,
        values: bool = False,
    ) -> contextlib.AbstractContextManager[Trainer]:
        """Provide the trainer of a network; after the block the network can predict.

        `weights` (classes,) are those of the classes in the loss that is minimised. With `values`
        the targets are standardised values, and the network has two outputs: the value and the
        logarithm of its spread.
        """
        ...


_claimed: set[str] = set()


def claim(framework: str) -> None:
    """Reserve this process for `framework`.

    TensorFlow and PyTorch in one process compete for GPU memory and threads.

    Raises
    ------
    PluginError
        When another framework was claimed before.
    """
    for other in _claimed - {framework}:
        raise PluginError(
            f"this process already uses {other} and cannot also load {framework}",
            hint="Use one framework per process; KERAS_BACKEND=torch runs Keras on PyTorch.",
        )
    _claimed.add(framework)

"""What a framework must do for the network; everything else is the same for each.

A plugin implements these protocols in NumPy's terms. Must not import a framework.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from speckle_core import IntArray, PluginError
from speckle_resnet.architecture import Plan, Weights

Floats = NDArray[np.float32]
#: Learns from a batch of so many patterns over all processes, at a learning rate; adds to the sums.
Learn = Callable[[Any, int, float], None]

#: The state of Adam in a checkpoint, beside the weights under their own names.
MEANS, SQUARES = "adam.mean.", "adam.square."
#: Keras' Adam, which the authors used: added to the root of the running square before that is
#: corrected for its start at 0.
ADAM_EPSILON = 1e-7


class Network(Protocol):
    """One network in its framework's memory; patterns are (B, ny, nx), B as small as need be."""

    @property
    def pixels_at_once(self) -> int:
        """Pixels that one forward pass takes, by the memory to be expected."""
        ...

    def computing(self) -> contextlib.AbstractContextManager[None]:
        """Surround whatever the network computes; lack of memory becomes a `ModelError`."""
        ...

    def weights(self) -> Weights:
        """Return a copy of every tensor, named and laid out as `architecture` says."""
        ...

    def fill(self, weights: Weights) -> None:
        """Take copies of these tensors."""
        ...

    def scores(self, patterns: Floats) -> Floats:
        """Return the linear class scores, (B, classes), in the precision of the options."""
        ...

    def input_gradients(self, patterns: Floats, targets: IntArray, *, guided: bool) -> Floats:
        """Return d score[target] / d pattern, (B, ny, nx), in float32."""
        ...

    def feature_maps(
        self, patterns: Floats, targets: IntArray, stage: int
    ) -> tuple[Floats, Floats]:
        """Return the maps of stage number `stage`, from 1, and d score[target] / d maps.

        Both (B, c, h, w), in float32. The last stage's maps are those that its final batch norm and
        ReLU give, which the head averages; another's are what the next stage receives.
        """
        ...


class Trainer(Protocol):
    """Steps of Adam over one network, and sums of what it says of batches.

    Sums are of cross-entropies and of patterns that were read right, over all processes.
    """

    @property
    def leads(self) -> bool:
        """Whether this process writes and reports for all."""
        ...

    def share(self, batch: IntArray) -> IntArray:
        """Return this process's part of a batch."""
        ...

    def staged(self, patterns: Floats, targets: IntArray) -> Any:
        """Return a batch ready to be learnt or judged; called by the thread that reads ahead."""
        ...

    def learning(self, step: int) -> contextlib.AbstractContextManager[Learn]:
        """Give the function that learns a batch, for an epoch whose first step is `step`, from 0.

        Outside, the network's weights and averages are those that predict.
        """
        ...

    def judge(self, batch: Any) -> None:
        """Add what the network says of a batch to the sums."""
        ...

    def sums(self) -> tuple[float, float]:
        """Return the sums since the last call."""
        ...

    def moments(self) -> Weights:
        """Return copies of Adam's running means and squares, under `MEANS` and `SQUARES`."""
        ...

    def restore(self, moments: Weights, steps: int) -> None:
        """Go on from these moments after so many steps."""
        ...


class Framework(Protocol):
    """A framework on one device, in one precision."""

    @property
    def name(self) -> str:
        """What a checkpoint calls it: another one rounds otherwise."""
        ...

    @property
    def bfloat16(self) -> bool:
        """Whether convolutions multiply in bfloat16."""
        ...

    @property
    def processes(self) -> int:
        """How many processes share each batch."""
        ...

    def network(self, plan: Plan, channels: int, classes: int, weights: Weights) -> Network:
        """Return a new network with these weights; no random state is touched."""
        ...

    def training(
        self, network: Network, weight_decay: float
    ) -> contextlib.AbstractContextManager[Trainer]:
        """Give what trains a network of this framework; afterwards that can predict."""
        ...


_claimed: set[str] = set()


def claim(framework: str) -> None:
    """Note that a plugin of ours computes with `framework` in this process, and with no other.

    TensorFlow and PyTorch in one process compete for the memory of a card and for threads.

    Raises
    ------
    PluginError
        When another one was claimed before.
    """
    for other in _claimed - {framework}:
        raise PluginError(
            f"this process computes with {other} already, and will not load {framework} beside it",
            hint="Use one framework in one process; KERAS_BACKEND=torch runs Keras on PyTorch.",
        )
    _claimed.add(framework)

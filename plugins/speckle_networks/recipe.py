"""What a training depends on, options and earlier weights, and what it leaves."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core import PatternSet
from speckle_networks.framework import Framework, Network, Weights
from speckle_networks.options import LATER, TrainingOptions


@attrs.frozen
class Standard:
    """Mean and standard deviation of the values that a network learned, which it sees as 0 and 1.

    Its two outputs are the value and the logarithm of the value's spread, both so standardised.
    """

    mean: float
    spread: float

    @classmethod
    def of(cls, train: PatternSet) -> Standard | None:
        """Return that of a training set; None where classes are to be learned.

        Raises
        ------
        DataError
            When all values are the same.
        """
        return None if train.values is None else cls(*train.value_scale())


#: Outputs of a network that learns a value.
VALUE_OUTPUTS = 2


@attrs.frozen(eq=False)
class Fitted:
    """The network used for prediction, and its training data.

    `last` are the weights after the last epoch, if they differ. With `standard` the network has
    learned a value, and there are no classes.
    """

    network: Network
    classes: NDArray[np.int64]
    size: tuple[int, int]
    last: Weights | None = None
    standard: Standard | None = None

    @property
    def outputs(self) -> int:
        """Number of outputs of the network."""
        return len(self.classes) if self.standard is None else VALUE_OUTPUTS

    @property
    def columns(self) -> int:
        """Number of outputs that have a meaning of their own: classes, or the value."""
        return len(self.classes) if self.standard is None else 1


def own_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that a network has beside those of the training, as TOML has them."""
    training = {field.name for field in attrs.fields(TrainingOptions)}
    return {name: _plain(value) for name, value in options.items() if name not in training}


def must_match(
    options: Mapping[str, Any], framework: Framework, start: Path | None
) -> dict[str, Any]:
    """Return what must be the same for a training to go on, beside its data and seed."""
    found = {name: _plain(value, none=None) for name, value in options.items()}
    for name, value in LATER.items():
        if found[name] == value:
            del found[name]
    found["precision"] = "bfloat16" if framework.bfloat16 else "float32"
    found["framework"] = framework.name
    del found["device"], found["cache"]
    if start is not None:
        # Which weights these are decides the training as the seed does.
        content = (start / "weights.safetensors").read_bytes()
        found["start"] = hashlib.sha256(content).hexdigest()
    return found


def _plain(value: Any, none: Any = "none") -> Any:
    """Return an option's value as TOML and JSON have it."""
    if value is None:
        return none
    return [_plain(v) for v in value] if isinstance(value, tuple | list) else value


def warm_weights(learned: Network, network: Network, other: Network | None) -> Weights:
    """Return the weights of `network` with those of `learned` where their shapes agree.

    Where `other` is given, a network for another number of classes, tensors whose shape differs
    from its own keep their first values as well.
    """
    theirs, ours = learned.weights(), network.weights()
    kept = {name for name in ours if theirs[name].shape == ours[name].shape}
    if other is not None:
        more = other.weights()
        kept -= {name for name in ours if more[name].shape != ours[name].shape}
    return ours | {name: theirs[name] for name in kept}

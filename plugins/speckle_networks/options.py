"""The options of a training, the same for every network and every framework.

Annotations must be evaluated in this module, where their names are defined: a subclass in another
module inherits them in its constructor, from which options are read.
"""
# No `from __future__ import annotations`; see above.

from typing import Literal

import attrs

from speckle_networks.checks import at_least, odd, one_of, share
from speckle_networks.feed import View


@attrs.define(kw_only=True, eq=False)
class TrainingOptions:
    """Options that every network has: its training, its device, and the pixels that it reads.

    Parameters
    ----------
    epochs : int
        Maximum number of passes over the training patterns.
    batch_size : int
        Patterns per step, over all processes.
    learning_rate : float
        Learning rate; the highest one if the schedule changes it.
    optimizer : {"adam", "adamw"}
        Adam, with weight decay as an L2 penalty, or AdamW, with decoupled weight decay
        (Loshchilov and Hutter, 2019).
    schedule : {"constant", "one-cycle", "cosine", "plateau"}
        ``constant`` as in the paper, ``one-cycle`` for short trainings, ``cosine`` from the start
        down to 0, ``plateau`` as in the authors' script: multiplied by sqrt(0.1) after five epochs
        without progress, down to 5e-7.
    early_stopping : int, optional
        Stop after this number of epochs without progress of the validation loss (authors: 10).
    precision : {"auto", "float32", "bfloat16"}
        Precision of convolutions in training and prediction; ``auto`` is bfloat16 if the hardware
        supports it. Weights, losses, input gradients and feature maps are float32.
    weight_decay : float
        With Adam an L2 penalty as in Keras: this times the sum of squares of the kernels is added
        to the loss. With AdamW, the share that they lose in each step, times the learning rate.
    label_smoothing : float
        Share of each label that is spread over all classes in the loss that is minimised; losses
        are reported without it.
    class_weights : {"none", "balanced"}
        ``balanced`` weights each pattern in the loss that is minimised by the inverse of its
        class's share of the training patterns, so that a rare class counts as much as a frequent
        one. Losses are reported without it.
    device : str
        ``auto`` (a CUDA GPU, else the CPU), ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    augment : {"none", "flips"}
        ``flips`` transforms each pattern by a random symmetry of the square in every epoch; exact
        on a centred grid for bodies without a preferred direction.
    crop : int, optional
        Use only the central `crop` × `crop` k pixels (odd) of a centred grid.
    half : bool
        Use only the rows with ky ≥ 0 of a centred grid, which nearly halves the work. With real
        contrast the other rows are redundant, I(-k) = I(k) (Friedel's law).
    cache : bool
        Keep prepared patterns in memory after the first epoch (4 bytes per pixel), for a GPU that
        is faster than reading and preparing a thousand patterns per second.
    """

    epochs: int = attrs.field(default=200, validator=at_least(1))
    batch_size: int = attrs.field(default=40, validator=at_least(2))
    learning_rate: float = attrs.field(default=1e-3, validator=at_least(0, exclusive=True))
    optimizer: Literal["adam", "adamw"] = attrs.field(
        default="adam", validator=one_of("adam", "adamw")
    )
    schedule: Literal["constant", "one-cycle", "cosine", "plateau"] = attrs.field(
        default="constant", validator=one_of("constant", "one-cycle", "cosine", "plateau")
    )
    early_stopping: int | None = attrs.field(default=None, validator=at_least(1))
    precision: Literal["auto", "float32", "bfloat16"] = attrs.field(
        default="auto", validator=one_of("auto", "float32", "bfloat16")
    )
    weight_decay: float = attrs.field(default=1e-4, validator=at_least(0))
    label_smoothing: float = attrs.field(default=0.0, validator=share)
    class_weights: Literal["none", "balanced"] = attrs.field(
        default="none", validator=one_of("none", "balanced")
    )
    device: str = "auto"
    augment: Literal["none", "flips"] = attrs.field(
        default="none", validator=one_of("none", "flips")
    )
    crop: int | None = attrs.field(default=None, validator=odd)
    half: bool = False
    cache: bool = False

    @property
    def view(self) -> View:
        """The pixels that the network reads."""
        return View(self.crop, self.half)


#: Options that came after the first checkpoints: these values are what those were trained with.
LATER = {"optimizer": "adam", "label_smoothing": 0.0, "class_weights": "none"}

"""The options of the paper's network, the same words with the same meaning for every framework.

Annotations are evaluated here, where their names are known: a subclass in another module has them
in its own constructor, from which options are read.
"""
# No `from __future__ import annotations`; see above.

from typing import Literal

import attrs

from speckle_resnet.checks import at_least, odd, one_of
from speckle_resnet.feed import View


@attrs.define(kw_only=True, eq=False)
class Options:
    """How the network is built and trained.

    Parameters
    ----------
    channels : {3, 1}
        Copies of the grey pattern that the first layer reads; the authors made three.
    epochs : int
        Passes over the training patterns at most.
    batch_size : int
        Patterns per step, over all processes together.
    learning_rate : float
        Adam's rate; the highest one where the schedule changes it.
    schedule : {"constant", "one-cycle", "plateau"}
        ``constant`` as in the paper, ``one-cycle`` for short trainings, ``plateau`` as in the
        authors' script: times sqrt(0.1) after five epochs without progress, down to 5e-7.
    early_stopping : int, optional
        Stop after so many epochs without progress of the validation loss (the authors: 10).
    precision : {"auto", "float32", "bfloat16"}
        What convolutions multiply in, for training and prediction; ``auto`` takes bfloat16 where
        the hardware has it. Weights, losses, gradients by pixels and feature maps are float32.
    weight_decay : float
        L2 penalty as in Keras: this times the sum of squares of the convolutions' kernels is added
        to the loss.
    device : str
        ``auto`` (a CUDA card, else the CPU), ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    augment : {"none", "flips"}
        ``flips`` shows each pattern in one of the eight symmetries of the square, drawn anew in
        every epoch: exact on a centred grid for bodies that favour no direction.
    crop : int, optional
        Use only the central `crop` × `crop` k pixels (odd) of a centred grid.
    half : bool
        Use only the rows with ky ≥ 0 of a centred grid, for nearly half the work. With real
        contrast the others repeat them, I(-k) = I(k) (Friedel's law).
    cache : bool
        Keep prepared patterns in memory after the first epoch, four bytes a pixel: for a card that
        takes more than the thousand a second that can be read and prepared.
    """

    channels: Literal[1, 3] = attrs.field(default=3, validator=one_of(1, 3))
    epochs: int = attrs.field(default=200, validator=at_least(1))
    batch_size: int = attrs.field(default=40, validator=at_least(2))
    learning_rate: float = attrs.field(default=1e-3, validator=at_least(0, exclusive=True))
    schedule: Literal["constant", "one-cycle", "plateau"] = attrs.field(
        default="constant", validator=one_of("constant", "one-cycle", "plateau")
    )
    early_stopping: int | None = attrs.field(default=None, validator=at_least(1))
    precision: Literal["auto", "float32", "bfloat16"] = attrs.field(
        default="auto", validator=one_of("auto", "float32", "bfloat16")
    )
    weight_decay: float = attrs.field(default=1e-4, validator=at_least(0))
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

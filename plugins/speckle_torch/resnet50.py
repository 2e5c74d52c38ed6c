"""`torch-resnet50`: the paper's network in PyTorch, as the roles of the core have it.

Options and checks live here; torch is imported only when something is computed, so that options can
be listed without it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core.configuration import FloatArray
from speckle_core.errors import ModelError
from speckle_core.patterns import PatternSet
from speckle_core.roles import Epoch, IntArray, OnEpoch
from speckle_torch.architecture import RESNET50, Plan, Weights, initial_weights, tensors
from speckle_torch.checks import (
    at_least,
    check_patterns,
    check_sets,
    check_targets,
    odd,
    one_of,
    one_of_these,
)

if TYPE_CHECKING:
    from speckle_torch.network import ResNet


@attrs.frozen(eq=False)
class _Fitted:
    """The network that predicts, and what it was trained on."""

    network: ResNet
    bfloat16: bool
    classes: NDArray[np.int64]
    size: tuple[int, int]
    last: Weights | None


@attrs.define(kw_only=True, eq=False)
class TorchResNet50:
    """Pre-activation ResNet-50 with 23.6 million parameters, trained with Adam on cross-entropy.

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
        L2 penalty as in Keras: this times the sum of squares of all kernels is added to the loss.
    device : str
        ``auto`` (a CUDA card, else the CPU), ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    augment : {"none", "flips"}
        ``flips`` shows each pattern in one of the eight symmetries of the square, drawn anew in
        every epoch: exact on a centred grid for bodies that favour no direction.
    crop : int, optional
        Use only the central `crop` × `crop` k pixels (odd) of a centred grid.

    Notes
    -----
    Of the epochs' networks the one with the least validation loss is kept, or without validation
    patterns the last. The penalty is in the gradients and not in the reported losses. One seed, one
    data set and one number of threads give one history on a CPU.
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
    _fitted: _Fitted | None = attrs.field(init=False, default=None, repr=False)
    _folder: Path | None = attrs.field(init=False, default=None, repr=False)

    def _plan(self) -> Plan:
        """Return the shape of the network; a test may stand in a smaller one."""
        return RESNET50

    def _ready(self) -> _Fitted:
        if self._fitted is None:
            raise ModelError("the network is not trained yet", hint="Call fit, or load a model.")
        return self._fitted

    @property
    def classes(self) -> IntArray:
        """The class of each column of `predict_proba`, ascending; none before `fit` or `load`."""
        return np.array([], dtype=np.int64) if self._fitted is None else self._fitted.classes

    def checkpoint_in(self, folder: Path) -> None:
        """Keep the state of `fit` in `folder` after every epoch, and go on from what lies there."""
        self._folder = Path(folder)

    def fit(
        self, train: PatternSet, valid: PatternSet, *, seed: int, on_epoch: OnEpoch | None = None
    ) -> list[Epoch]:
        """Train from the first weights of `seed`; return the history, one entry per epoch.

        Under torchrun every process calls this alike; the first one reports and writes.

        Raises
        ------
        DataError
            When there is nothing to learn from, or a validation label is no training class.
        PatternError
            When a prepared pattern is not finite, or the grid has no central crop.
        ModelError
            When a checkpoint is of another training or damaged, or the loss becomes infinite.
        OptionError
            When the device is not there.
        """
        from speckle_torch.checkpoint import Checkpoint, identity
        from speckle_torch.device import choose_device, limited_memory, uses_bfloat16
        from speckle_torch.distributed import gathered
        from speckle_torch.network import build, fill, named_tensors, to_arrays
        from speckle_torch.training import Training

        device = choose_device(self.device)
        bfloat16 = uses_bfloat16(self.precision, device)
        plan, classes = self._plan(), len(train.classes)
        first = initial_weights(tensors(plan, self.channels, classes), seed)
        checkpoint = None
        if self._folder is not None:
            options = {f.name: getattr(self, f.name) for f in attrs.fields(type(self)) if f.init}
            options["precision"] = "bfloat16" if bfloat16 else "float32"
            del options["device"]
            checkpoint = Checkpoint(self._folder, identity(options, seed, train, valid))
        with gathered(device) as team, limited_memory():
            check_sets(train, valid, team.size)
            network = build(plan, self.channels, classes, first).to(device)
            training = Training(self, network, device, bfloat16, team, train, valid, seed)
            training.run(checkpoint, on_epoch)
        last = None
        if training.best is not None and training.best_epoch != len(training.history):
            last = to_arrays(named_tensors(network))
            fill(named_tensors(network), training.best)
        self._keep(network, bfloat16, train.classes, train.grid.shape, last)
        return training.history

    def _keep(
        self,
        network: ResNet,
        bfloat16: bool,
        classes: IntArray,
        size: tuple[int, int],
        last: Weights | None,
    ) -> None:
        network.zero_grad(set_to_none=True)
        network.eval().requires_grad_(False)
        self._fitted = _Fitted(network, bfloat16, np.asarray(classes, np.int64), size, last)

    def predict_proba(self, patterns: FloatArray) -> FloatArray:
        """Return class probabilities, (B, classes), of prepared patterns (B, ny, nx) of any size.

        Raises
        ------
        PatternError
            For another shape, NaN or infinity, or a pattern without the central crop.
        """
        fitted, values = self._ready(), check_patterns(patterns)
        from speckle_torch.device import limited_memory
        from speckle_torch.inference import probabilities

        with limited_memory():
            return probabilities(fitted.network, values, self.crop, bfloat16=fitted.bfloat16)

    def input_gradients(
        self, patterns: FloatArray, targets: IntArray, *, guided: bool = False
    ) -> FloatArray:
        """Return d score[target] / d pattern, (B, ny, nx), of the linear score before the softmax.

        With `guided`, ReLUs pass back only positive gradients (Springenberg et al., 2015). Outside
        a crop the gradient is 0.
        """
        fitted, values = self._ready(), check_patterns(patterns)
        columns = check_targets(targets, values, fitted.classes)
        from speckle_torch.device import limited_memory
        from speckle_torch.inference import input_gradients

        with limited_memory():
            return input_gradients(fitted.network, values, columns, self.crop, guided=guided)

    def feature_maps(
        self, patterns: FloatArray, targets: IntArray, *, stage: str | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Return a stage's maps and d score[target] / d maps, both (B, c, h, w).

        By default those of the last stage after its batch norm and ReLU, 2048 channels; `stage1` to
        `stage3` give the sum at the end of the stage. Map value i of stage 1, 2, 3, 4 lies over
        pattern pixel 4 i, 8 i, 16 i, 32 i, so that the outermost ones lie over the pattern's edges
        when its size is 32 m + 1; outside a crop both are 0.

        Raises
        ------
        OptionError
            When there is no such stage.
        """
        fitted, values = self._ready(), check_patterns(patterns)
        columns = check_targets(targets, values, fitted.classes)
        stages = fitted.network.stages
        stage = one_of_these(stage or stages[-1], stages, where="stage")
        from speckle_torch.device import limited_memory
        from speckle_torch.inference import feature_maps

        with limited_memory():
            return feature_maps(fitted.network, values, columns, self.crop, stage)

    def save(self, folder: Path) -> None:
        """Write `weights.safetensors`, `state.toml` and, where it differs, `last.safetensors`.

        Raises
        ------
        ModelError
            When there is nothing to save.
        OutputError
            When a file cannot be written.
        """
        fitted = self._ready()
        from speckle_torch.network import named_tensors, to_arrays
        from speckle_torch.weights import Model, save_model

        weights = to_arrays(named_tensors(fitted.network))
        model = Model(weights, fitted.last, fitted.classes, fitted.size, self.channels)
        save_model(Path(folder), model)

    def load(self, folder: Path) -> None:
        """Read what `save` wrote; no file runs code.

        Raises
        ------
        ModelError
            When a file is missing, truncated or foreign, or does not fit the options.
        """
        from speckle_torch.device import choose_device, uses_bfloat16
        from speckle_torch.network import build
        from speckle_torch.weights import load_model

        device, plan = choose_device(self.device), self._plan()
        model = load_model(Path(folder), self.channels, plan)
        network = build(plan, self.channels, len(model.classes), model.weights).to(device)
        bfloat16 = uses_bfloat16(self.precision, device)
        self._keep(network, bfloat16, model.classes, model.size, model.last)

"""The paper's network as a classifier with all optional capabilities, for any framework.

Subclasses provide the framework. It and safetensors are imported on first use, so that options can
be listed without them.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import ClassVar

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core import Epoch, FloatArray, IntArray, ModelError, OnEpoch, PatternSet
from speckle_resnet import inference
from speckle_resnet.architecture import RESNET50, Plan, Weights, initial_weights, tensors
from speckle_resnet.checks import (
    check_patterns,
    check_sets,
    check_targets,
    check_view,
    one_of_these,
)
from speckle_resnet.framework import Framework, Network
from speckle_resnet.options import Options


@attrs.frozen(eq=False)
class Fitted:
    """The network used for prediction, and its training data.

    `last` are the weights after the last epoch, if they differ.
    """

    network: Network
    classes: NDArray[np.int64]
    size: tuple[int, int]
    last: Weights | None = None


@attrs.define(kw_only=True, eq=False)
class ResNet50(Options):
    """Pre-activation ResNet-50 with 23.6 million parameters, trained with Adam on cross-entropy.

    Notes
    -----
    The network of the epoch with the lowest validation loss is kept, or the last one without
    validation patterns. Weight decay is in the gradients but not in the reported losses. On a CPU
    the same seed, data and number of threads give the same history.
    """

    _fitted: Fitted | None = attrs.field(init=False, default=None, repr=False)
    _folder: Path | None = attrs.field(init=False, default=None, repr=False)
    _start: Path | None = attrs.field(init=False, default=None, repr=False)

    #: Options that change no number of a result.
    NEUTRAL_OPTIONS: ClassVar[tuple[str, ...]] = ("cache",)

    def _framework(self) -> Framework:
        """Return the framework on the device and in the precision of the options, imported."""
        raise NotImplementedError

    def _plan(self) -> Plan:
        """Return the shape of the network; tests override it with a smaller one."""
        return RESNET50

    def _network(self, framework: Framework, classes: int, weights: Weights) -> Network:
        return framework.network(self._plan(), self.channels, classes, weights)

    def _ready(self) -> Fitted:
        if self._fitted is None:
            raise ModelError("the network is not trained yet", hint="Call fit, or load a model.")
        return self._fitted

    def _first_weights(self, classes: int, seed: int) -> Weights:
        return initial_weights(tensors(self._plan(), self.channels, classes), seed)

    @property
    def classes(self) -> IntArray:
        """The class of each column of `predict_proba`, ascending; undefined before `fit`."""
        return np.array([], dtype=np.int64) if self._fitted is None else self._fitted.classes

    def checkpoint_in(self, folder: Path) -> None:
        """Save the state of `fit` to `folder` after every epoch, and resume from it."""
        self._folder = Path(folder)

    def start_from(self, folder: Path) -> None:
        """Let the next `fit` start from the weights in `folder`, which `save` wrote.

        Raises
        ------
        ModelError
            When they are damaged or of another network.
        """
        self._learned(folder)
        self._start = Path(folder)

    def _learned(self, folder: Path) -> Fitted:
        options = {f.name: getattr(self, f.name) for f in attrs.fields(Options)}
        earlier = type(self)(**options)
        earlier.load(folder)
        return earlier._ready()

    def _initial(self, classes: NDArray[np.int64], seed: int) -> Weights:
        """Return the weights that training starts from."""
        first = self._first_weights(len(classes), seed)
        if self._start is None:
            return first
        learned = self._learned(self._start)
        # The last layer knows the classes, and is kept only where they are the same.
        same = np.array_equal(learned.classes, classes)
        return {
            name: value if same or not name.startswith("dense.") else first[name]
            for name, value in learned.network.weights().items()
        }

    def fit(
        self, train: PatternSet, valid: PatternSet, *, seed: int, on_epoch: OnEpoch | None = None
    ) -> list[Epoch]:
        """Train from the initial weights of `seed`; return the history, one entry per epoch.

        Under torchrun every process calls this; the first one reports and writes files.

        Raises
        ------
        DataError
            When there is too little to train on, or a validation label is not a training class.
        PatternError
            When a prepared pattern is not finite, or the grid has no central crop.
        ModelError
            When a checkpoint is damaged or of another training, or the loss becomes infinite.
        OptionError
            When the device does not exist, or crop or half is used with a quadrant.
        """
        from speckle_resnet.checkpoint import Checkpoint, identity
        from speckle_resnet.training import Training

        framework = self._framework()
        check_sets(train, valid, framework.processes)
        check_view(self.view, train.grid)
        checkpoint = None
        if self._folder is not None:
            options = {f.name: getattr(self, f.name) for f in attrs.fields(Options)}
            options["precision"] = "bfloat16" if framework.bfloat16 else "float32"
            options["framework"] = framework.name
            del options["device"], options["cache"]
            if self._start is not None:
                # Which weights these are decides the training as the seed does.
                options["start"] = hashlib.sha256(
                    (self._start / "weights.safetensors").read_bytes()
                ).hexdigest()
            checkpoint = Checkpoint(self._folder, identity(options, seed, train, valid))
        classes = np.asarray(train.classes, dtype=np.int64)
        network = self._network(framework, len(classes), self._initial(classes, seed))
        if self.cache:
            train, valid = train.cached(), valid.cached()
        with framework.training(network, self.weight_decay) as trainer:
            training = Training(
                self, network, trainer, train, valid, seed, processes=framework.processes
            )
            training.run(checkpoint, on_epoch)
        last = None
        if training.best is not None and training.best_epoch != len(training.history):
            last = network.weights()
            network.fill(training.best)
        self._fitted = Fitted(network, classes, train.grid.shape, last)
        return training.history

    def predict_proba(self, patterns: FloatArray) -> FloatArray:
        """Return class probabilities, (B, classes), of prepared patterns (B, ny, nx) of any size.

        Raises
        ------
        PatternError
            For a wrong shape, NaN or infinity, or a pattern smaller than the central crop.
        """
        fitted, values = self._ready(), check_patterns(patterns)
        return inference.probabilities(fitted.network, values, self.view)

    def input_gradients(
        self, patterns: FloatArray, targets: IntArray, *, guided: bool = False
    ) -> FloatArray:
        """Return d score[target] / d pattern, (B, ny, nx), of the linear score before the softmax.

        With `guided`, ReLUs pass back only positive gradients (Springenberg et al., 2015). The
        gradient is 0 for pixels that are not read.
        """
        fitted, values = self._ready(), check_patterns(patterns)
        columns = check_targets(targets, values, fitted.classes)
        return inference.input_gradients(fitted.network, values, columns, self.view, guided=guided)

    def feature_maps(
        self, patterns: FloatArray, targets: IntArray, *, stage: str | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Return a stage's maps and d score[target] / d maps, both (B, c, h, w).

        `stage` is ``stage1`` to ``stage4``; None is the last, whose 2048 maps are taken after the
        final batch norm and ReLU. Map pixels of the last stage are centred on every 32nd pattern
        pixel, so the outermost ones are on the edges of a pattern of size 32 m + 1; each earlier
        stage has twice the resolution. Both are 0 where nothing is read.

        Raises
        ------
        OptionError
            For an unknown stage.
        """
        fitted, values = self._ready(), check_patterns(patterns)
        columns = check_targets(targets, values, fitted.classes)
        stages = [f"stage{i}" for i in range(1, len(self._plan().blocks) + 1)]
        number = stages.index(one_of_these(stage or stages[-1], stages, where="stage")) + 1
        return inference.feature_maps(fitted.network, values, columns, self.view, number)

    def region(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """Return which pixels of a pattern of that shape are read, (ny, nx).

        Raises
        ------
        PatternError
            For a shape smaller than the central crop.
        """
        read = np.zeros(shape, dtype=bool)
        read[self.view.window(shape)] = True
        return read

    def randomised(self, *, seed: int) -> ResNet50:
        """Return a classifier with these options and classes and the initial weights of `seed`."""
        fitted = self._ready()
        other = type(self)(**{f.name: getattr(self, f.name) for f in attrs.fields(Options)})
        weights = self._first_weights(len(fitted.classes), seed)
        network = self._network(self._framework(), len(fitted.classes), weights)
        other._fitted = Fitted(network, fitted.classes, fitted.size)
        return other

    def save(self, folder: Path) -> None:
        """Write `weights.safetensors`, `state.toml` and, if it differs, `last.safetensors`.

        Raises
        ------
        ModelError
            When there is nothing to save.
        OutputError
            When a file cannot be written.
        """
        from speckle_resnet.weights import Model, save_model

        fitted = self._ready()
        weights = fitted.network.weights()
        model = Model(weights, fitted.last, fitted.classes, fitted.size, self.channels)
        save_model(Path(folder), model)

    def load(self, folder: Path) -> None:
        """Read what `save` wrote; no file runs code.

        Raises
        ------
        ModelError
            When a file is missing, damaged or of another format, or does not match the options.
        """
        from speckle_resnet.weights import load_model

        model = load_model(Path(folder), self.channels, self._plan())
        network = self._network(self._framework(), len(model.classes), model.weights)
        self._fitted = Fitted(network, model.classes, model.size, model.last)

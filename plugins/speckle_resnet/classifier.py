"""The paper's network as the roles of the core have it, for a framework that a subclass brings.

Options and checks live here; the framework and safetensors are imported only when they are used, so
that options can be listed without them.
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
    """The network that predicts, and what it was trained on.

    `last` holds the weights after the last epoch, where they are others.
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
    Of the epochs' networks the one with the least validation loss is kept, or without validation
    patterns the last. The penalty is in the gradients and not in the reported losses. One seed, one
    data set and one number of threads give one history on a CPU.
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
        """Return the shape of the network; a test may stand in a smaller one."""
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
        """The class of each column of `predict_proba`, ascending; none before `fit` or `load`."""
        return np.array([], dtype=np.int64) if self._fitted is None else self._fitted.classes

    def checkpoint_in(self, folder: Path) -> None:
        """Keep the state of `fit` in `folder` after every epoch, and go on from what lies there."""
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
            When the device is not there, or a crop or half is asked of quadrants.
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
            For another shape, NaN or infinity, or a pattern without the central crop.
        """
        fitted, values = self._ready(), check_patterns(patterns)
        return inference.probabilities(fitted.network, values, self.view)

    def input_gradients(
        self, patterns: FloatArray, targets: IntArray, *, guided: bool = False
    ) -> FloatArray:
        """Return d score[target] / d pattern, (B, ny, nx), of the linear score before the softmax.

        With `guided`, ReLUs pass back only positive gradients (Springenberg et al., 2015). Where
        nothing is read the gradient is 0.
        """
        fitted, values = self._ready(), check_patterns(patterns)
        columns = check_targets(targets, values, fitted.classes)
        return inference.input_gradients(fitted.network, values, columns, self.view, guided=guided)

    def feature_maps(
        self, patterns: FloatArray, targets: IntArray, *, stage: str | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Return a stage's maps and d score[target] / d maps, both (B, c, h, w).

        `stage` is ``stage1`` to ``stage4``; None is the last, whose maps are those after its batch
        norm and ReLU, and 2048 in number. A map pixel of the last stage lies over every 32nd
        pattern pixel, so that the outermost ones lie over the pattern's edges when its size is
        32 m + 1; each stage before has twice as many. Where nothing is read both are 0.

        Raises
        ------
        OptionError
            For another stage.
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
            For a shape without the central crop.
        """
        read = np.zeros(shape, dtype=bool)
        read[self.view.window(shape)] = True
        return read

    def randomised(self, *, seed: int) -> ResNet50:
        """Return a classifier with these options and classes, and the first weights of `seed`."""
        fitted = self._ready()
        other = type(self)(**{f.name: getattr(self, f.name) for f in attrs.fields(Options)})
        weights = self._first_weights(len(fitted.classes), seed)
        network = self._network(self._framework(), len(fitted.classes), weights)
        other._fitted = Fitted(network, fitted.classes, fitted.size)
        return other

    def save(self, folder: Path) -> None:
        """Write `weights.safetensors`, `state.toml` and, where it differs, `last.safetensors`.

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
            When a file is missing, truncated or foreign, or does not fit the options.
        """
        from speckle_resnet.weights import load_model

        model = load_model(Path(folder), self.channels, self._plan())
        network = self._network(self._framework(), len(model.classes), model.weights)
        self._fitted = Fitted(network, model.classes, model.size, model.last)

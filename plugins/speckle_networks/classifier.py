"""A network as a classifier with all optional capabilities, for any framework.

`speckle_torch.TorchClassifier` and `speckle_keras.KerasClassifier` provide the framework, and
their subclasses the network. Framework and safetensors are imported on first use, so that options
can be listed without them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core import (
    Epoch,
    FloatArray,
    IntArray,
    ModelError,
    OnEpoch,
    OptionError,
    PatternError,
    PatternSet,
    PluginError,
)
from speckle_networks import inference
from speckle_networks.checks import (
    check_patterns,
    check_sets,
    check_targets,
    check_view,
    one_of_these,
)
from speckle_networks.framework import Framework, Network
from speckle_networks.options import TrainingOptions
from speckle_networks.recipe import (
    VALUE_OUTPUTS,
    Fitted,
    Standard,
    must_match,
    own_options,
    warm_weights,
)


@attrs.define(kw_only=True, eq=False)
class NetworkClassifier(TrainingOptions):
    """A network trained on cross-entropy; a subclass of a framework's class says which one.

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
    #: What `state.toml` calls its files.
    FORMAT: ClassVar[str] = "speckle-network-1"

    def network(self, shape: tuple[int, int], classes: int) -> Any:
        """Return a new network; see the framework's class."""
        raise NotImplementedError

    def map_step(self, layer: str) -> float | None:  # noqa: ARG002 - for those who override it
        """Return how many pixels lie between two neighbours on the maps of a layer.

        It places maps where `crop` or `half` is used; None estimates it from the sizes.
        """
        return None

    def decays(
        self,
        name: str,  # noqa: ARG002 - for those who override it
        shape: tuple[int, ...],
    ) -> bool:
        """Return whether weight decay applies to a tensor: to all but biases, scales and offsets.

        `name` is that in the files.
        """
        return len(shape) > 1

    def _framework(self) -> Framework:
        """Return the framework on the device and in the precision of the options, imported."""
        raise NotImplementedError

    def _options(self) -> dict[str, Any]:
        """Return the values of all options, to make another one like this."""
        return {f.alias: getattr(self, f.name) for f in attrs.fields(type(self)) if f.init}

    def _facts(self) -> dict[str, Any]:
        """Return what `state.toml` says of the network beside classes and size."""
        return {"format": self.FORMAT, "options": own_options(self._options())}

    def _window(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the shape of the pixels that are read of patterns of that size."""
        rows, columns = self.view.window(size)
        return rows.stop - rows.start, columns.stop - columns.start

    def _network(self, size: tuple[int, int], classes: int, seed: int | None) -> Network:
        return self._framework().network(self, self._window(size), classes, seed)

    def _ready(self) -> Fitted:
        if self._fitted is None:
            raise ModelError("the network is not trained yet", hint="Call fit, or load a model.")
        return self._fitted

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
        earlier = type(self)(**self._options())
        earlier.load(folder)
        return earlier._ready()

    def _warm(self, network: Network, classes: NDArray[np.int64], size: tuple[int, int]) -> None:
        """Fill the network with the weights that its training starts from, if there are any."""
        if self._start is None:
            return
        learned = self._learned(self._start)
        # The last layer knows the classes: it is of another size for one more of them.
        same = np.array_equal(learned.classes, classes)
        other = None if same else self._network(size, max(len(classes), VALUE_OUTPUTS) + 1, None)
        network.fill(warm_weights(learned.network, network, other))

    def fit(
        self, train: PatternSet, valid: PatternSet, *, seed: int, on_epoch: OnEpoch | None = None
    ) -> list[Epoch]:
        """Train from the first weights of `seed`; return the history, one entry per epoch.

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
        from speckle_networks.checkpoint import Checkpoint, identity
        from speckle_networks.training import Training, balanced_weights

        framework = self._framework()
        check_sets(train, valid, framework.processes)
        check_view(self.view, train.grid)
        checkpoint = None
        if self._folder is not None:
            known = identity(
                must_match(self._options(), framework, self._start), seed, train, valid
            )
            checkpoint = Checkpoint(self._folder, known)
        classes, size = np.asarray(train.classes, dtype=np.int64), train.grid.shape
        standard = Standard.of(train)
        if standard is not None:
            classes = np.zeros(0, dtype=np.int64)
            if self.class_weights != "none":
                raise OptionError(
                    "weighs classes, and a value has none",
                    where="class_weights",
                    hint="Leave it out.",
                )
        outputs = len(classes) if standard is None else VALUE_OUTPUTS
        network = framework.network(self, self._window(size), outputs, seed)
        self._warm(network, classes, size)
        if self.cache:
            # Fresh patterns are read once, so there is nothing to keep.
            train, valid = train if train.fresh else train.cached(), valid.cached()
        weights = balanced_weights(train) if self.class_weights == "balanced" else None
        learns = standard is not None
        with framework.training(network, self, seed, weights, values=learns) as trainer:
            training = Training(
                self, network, trainer, train, valid, seed, framework.processes, standard
            )
            training.run(checkpoint, on_epoch)
        last = None
        if training.best is not None and training.best_epoch != len(training.history):
            last = network.weights()
            network.fill(training.best)
        self._fitted = Fitted(network, classes, size, last, standard)
        return training.history

    def predict_proba(self, patterns: FloatArray) -> FloatArray:
        """Return class probabilities, (B, classes), of prepared patterns (B, ny, nx).

        Raises
        ------
        PatternError
            For a wrong shape, NaN or infinity, a pattern smaller than the central crop, or one of
            a size that the network cannot read.
        """
        fitted, values = self._ready(), check_patterns(patterns)
        if fitted.standard is not None:
            raise ModelError(
                "the network has learned a value, not classes", hint="Call predict_values."
            )
        return inference.probabilities(fitted.network, values, self.view)

    def predict_values(self, patterns: FloatArray) -> FloatArray:
        """Return value and spread, (B, 2), of prepared patterns (B, ny, nx).

        Raises
        ------
        PatternError
            As `predict_proba`.
        ModelError
            When the network has learned classes.
        """
        fitted, values = self._ready(), check_patterns(patterns)
        if fitted.standard is None:
            raise ModelError(
                "the network has learned classes, not a value", hint="Call predict_proba."
            )
        return inference.values(fitted.network, values, self.view, fitted.standard)

    def input_gradients(
        self, patterns: FloatArray, targets: IntArray, *, guided: bool = False
    ) -> FloatArray:
        """Return d score[target] / d pattern, (B, ny, nx), of the linear score before the softmax.

        Of a network that has learned a value, column 0 is the value, in its unit. With `guided`,
        ReLUs pass back only positive gradients (Springenberg et al., 2015). The gradient is 0 for
        pixels that are not read.
        """
        fitted, values = self._ready(), check_patterns(patterns)
        columns = check_targets(targets, values, fitted.columns)
        found = inference.input_gradients(fitted.network, values, columns, self.view, guided=guided)
        return found if fitted.standard is None else found * np.float32(fitted.standard.spread)

    def feature_maps(
        self, patterns: FloatArray, targets: IntArray, *, stage: str | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Return the maps of a layer and d score[target] / d maps, both (B, c, h, w).

        `stage` is the name of a layer; None is the last one that puts out maps. Both are 0 where
        nothing is read.

        Raises
        ------
        OptionError
            For an unknown layer.
        PluginError
            When the network has no layer with maps.
        """
        fitted, values = self._ready(), check_patterns(patterns)
        columns = check_targets(targets, values, fitted.columns)
        layers = fitted.network.layers
        if not layers:
            raise PluginError(
                f"no layer of {type(self).__name__}'s network puts out maps (B, c, h, w)",
                where="feature_maps",
                hint="Use another explainer, or let a layer of the network put out maps.",
            )
        layer = one_of_these(stage or layers[-1], layers, where="stage")
        return inference.feature_maps(
            fitted.network, values, columns, self.view, layer, self.map_step(layer)
        )

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

    def randomised(self, *, seed: int) -> NetworkClassifier:
        """Return a classifier with these options and classes and the first weights of `seed`."""
        fitted = self._ready()
        other = type(self)(**self._options())
        network = self._network(fitted.size, fitted.outputs, seed)
        other._fitted = attrs.evolve(fitted, network=network, last=None)
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
        from speckle_networks.weights import Stored, save_model

        fitted = self._ready()
        stored = Stored(fitted.classes, fitted.size, fitted.standard)
        save_model(Path(folder), self._facts(), stored, fitted.network.weights(), fitted.last)

    def load(self, folder: Path) -> None:
        """Read what `save` wrote; no file runs code.

        Raises
        ------
        ModelError
            When a file is missing, damaged or of another format, or does not match the options.
        """
        from speckle_networks.weights import read_state, read_weights

        stored = read_state(Path(folder), self._facts())
        try:
            outputs = len(stored.classes) if stored.standard is None else VALUE_OUTPUTS
            network = self._network(stored.size, outputs, None)
        except PatternError as error:
            raise ModelError(error.what, where=str(folder), hint=error.hint) from error
        weights, last = read_weights(Path(folder), network.weights())
        network.fill(weights)
        self._fitted = Fitted(network, stored.classes, stored.size, last, stored.standard)

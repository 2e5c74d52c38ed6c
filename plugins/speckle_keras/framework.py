"""A classifier's network in Keras, with NumPy arrays in and out.

Compiled functions are cached with the network, so only the first call is slow.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal

import attrs
import numpy as np

from speckle_core import IntArray, PatternError, PluginError, team_size
from speckle_keras.backend import cpu_has_bfloat16, engine, keras
from speckle_keras.layers import calling, computing_in, layers_of, names_of
from speckle_keras.layers import guided as guided_relus
from speckle_keras.tensors import fill, to_arrays
from speckle_networks.framework import Floats, Network, Trainer, Weights
from speckle_networks.options import TrainingOptions

if TYPE_CHECKING:
    from speckle_keras.classifier import KerasClassifier

ops = keras.ops
_INPUT = keras.layers.InputLayer


@attrs.frozen
class KerasFramework:
    """Keras, on one device and in one precision."""

    device: str
    bfloat16: bool

    @classmethod
    def chosen(
        cls, device: str, precision: Literal["auto", "float32", "bfloat16"]
    ) -> KerasFramework:
        """Return the framework for the given options.

        Raises
        ------
        OptionError
            When this machine has no such device.
        """
        place = engine.place(device)
        if precision != "auto":
            return cls(place, precision == "bfloat16")
        cpu = place.startswith("cpu")
        return cls(place, cpu_has_bfloat16() if cpu else engine.gpu_has_bfloat16(place))

    @property
    def name(self) -> str:
        """Keras and its backend."""
        return f"keras on {keras.config.backend()}"

    @property
    def processes(self) -> int:
        """One: training with several processes does not work in Keras."""
        return 1

    def network(
        self, classifier: KerasClassifier, shape: tuple[int, int], classes: int, seed: int | None
    ) -> KerasNetwork:
        """Return a new network with the first weights of `seed`, or with any.

        Raises
        ------
        PluginError
            When the classifier's method `network` does not return a model.
        """
        state = random.getstate()
        try:
            random.seed(seed or 0)
            with keras.device(self.device):
                model = classifier.network(shape, classes)
                if not isinstance(model, keras.Model):
                    raise PluginError(
                        f"network(shape, classes) returned {type(model).__name__}, "
                        "not a Keras model",
                        where=type(classifier).__name__,
                    )
                if not model.built:
                    model(classifier.prepare_inputs(ops.zeros((1, *shape))))
                if seed is not None:
                    classifier.initialise(model, seed)
        finally:
            random.setstate(state)
        return KerasNetwork(model, classifier, shape, classes, self)

    @contextlib.contextmanager
    def training(
        self,
        network: Network,
        options: TrainingOptions,
        seed: int,
        weights: Floats | None,
        *,
        values: bool = False,
    ) -> Iterator[Trainer]:
        """Provide the trainer of the network.

        Raises
        ------
        PluginError
            When torchrun started several processes, each of which would train everything.
        """
        from speckle_keras.training import KerasTrainer

        if team_size() > 1:
            raise PluginError(
                "a Keras network trains in one process, but torchrun started several",
                hint="Start it without torchrun, or train 'torch-resnet50' and convert it.",
            )
        assert isinstance(network, KerasNetwork)
        with network.computing():
            yield KerasTrainer(network, options, seed, weights, values)


@attrs.define(eq=False)
class KerasNetwork:
    """One network and its compiled functions."""

    model: Any
    classifier: KerasClassifier
    shape: tuple[int, int]
    classes: int
    framework: KerasFramework
    _functions: dict[tuple[Any, ...], Callable[..., Any]] = attrs.field(init=False, factory=dict)
    _layers: dict[str, Any] | None = attrs.field(init=False, default=None)

    @property
    def precision(self) -> str:
        """Precision of convolutions where the options may choose it."""
        return "bfloat16" if self.framework.bfloat16 else "float32"

    @property
    def pixels_at_once(self) -> int:
        """Number of pixels in one forward pass, limited by the expected memory."""
        return 2**20 if self.framework.device.startswith("cpu") else 2**24

    @contextlib.contextmanager
    def computing(self) -> Iterator[None]:
        """Compute on the device; out-of-memory errors raise `ModelError`."""
        with keras.device(self.framework.device), engine.limited_memory():
            yield

    def variables(self) -> dict[str, Any]:
        """Return the live variables by their names in files."""
        return self.classifier.stored_variables(self.model)

    @property
    def learned(self) -> frozenset[str]:
        """Names of the tensors that the optimiser trains."""
        trained = {id(variable) for variable in self.model.trainable_variables}
        return frozenset(n for n, variable in self.variables().items() if id(variable) in trained)

    def weights(self) -> Weights:
        """Return a copy of every tensor."""
        return to_arrays(self.variables())

    def fill(self, weights: Weights) -> None:
        """Copy these tensors into the network."""
        with keras.device(self.framework.device):
            fill(self.variables(), weights)

    def forward(self, patterns: Any, *, coarse: bool = False, training: bool = False) -> Any:
        """Return the scores of patterns (B, ny, nx) in float32; `coarse` allows bfloat16.

        Raises
        ------
        PluginError
            When the model does not return one score for each class.
        """
        inputs = self.classifier.prepare_inputs(patterns)
        layers = getattr(self.model, "coarse_layers", None) or layers_of(self.model)
        with computing_in(layers, self.precision) if coarse else contextlib.nullcontext():
            scores = self.model(inputs, training=training)
        if len(scores.shape) != 2 or scores.shape[1] not in (self.classes, None):
            raise PluginError(
                f"the network returned {tuple(scores.shape)}, "
                f"not one score for each of {self.classes} classes",
                where=type(self.classifier).__name__,
            )
        return ops.cast(scores, "float32")

    def scores(self, patterns: Floats) -> Floats:
        """Return the linear class scores, (B, classes)."""
        targets = np.zeros(len(patterns), np.int64)
        scores: Floats = self._run(
            ("scores",), lambda values, _: self.forward(values, coarse=True), patterns, targets
        )
        return scores

    def input_gradients(self, patterns: Floats, targets: IntArray, *, guided: bool) -> Floats:
        """Return d score[target] / d pattern, (B, ny, nx)."""

        def compute(values: Any, columns: Any) -> Any:
            with guided_relus() if guided else contextlib.nullcontext():
                return engine.gradient(lambda x: _select_scores(self.forward(x), columns), values)

        gradients: Floats = self._run(("gradients", guided), compute, patterns, targets)
        return gradients

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers whose maps can be shown; the last one is the default."""
        return tuple(self._found_layers())

    def _found_layers(self) -> dict[str, Any]:
        if self._layers is None:
            self._layers = dict(self.classifier.layers(self.model)) or self._with_maps()
        return self._layers

    def _with_maps(self) -> dict[str, Any]:
        """Return the layers that put out maps of more than one pixel, as they compute."""
        names = names_of(layers_of(self.model))
        found: dict[str, Any] = {}

        def noting(name: str, layer: Any) -> Callable[..., Any]:
            def call(compute: Callable[..., Any], *inputs: Any, **options: Any) -> Any:
                output = compute(*inputs, **options)
                shape = tuple(getattr(output, "shape", ()))
                if len(shape) == 4 and shape[1] * shape[2] > 1:
                    found.pop(name, None)
                    found[name] = layer
                return output

            return call

        with self.computing(), contextlib.ExitStack() as stack:
            for name, layer in names.items():
                stack.enter_context(calling(layer, noting(name, layer)))
            self.forward(ops.zeros((1, *self.shape)))
        # The first thing that a model "computes" is its input.
        return {name: layer for name, layer in found.items() if layer.__class__ is not _INPUT}

    def feature_maps(
        self, patterns: Floats, targets: IntArray, layer: str
    ) -> tuple[Floats, Floats]:
        """Return what a layer puts out and d score[target] / d maps, both (B, c, h, w)."""
        chosen = self._found_layers()[layer]

        def compute(values: Any, columns: Any) -> Any:
            caught: list[Any] = []

            def catch(own: Callable[..., Any], *inputs: Any, **options: Any) -> Any:
                caught.append(own(*inputs, **options))
                return caught[-1]

            with calling(chosen, catch):
                self.forward(values)
            if len(caught) != 1 or len(caught[0].shape) != 4:
                shapes = [tuple(maps.shape) for maps in caught]
                raise PluginError(
                    f"layer {layer!r} put out {shapes or 'nothing'}, not maps (B, h, w, c) once",
                    where=type(self.classifier).__name__,
                )

            def score(maps: Any) -> Any:
                with calling(chosen, lambda *_, **__: maps):
                    return _select_scores(self.forward(values), columns)

            return caught[0], engine.gradient(score, caught[0])

        maps, gradients = self._run(("maps", layer), compute, patterns, targets)
        return maps.transpose(0, 3, 1, 2), gradients.transpose(0, 3, 1, 2)

    def compiled(
        self, function: Callable[..., Any], shape: tuple[int, ...], *, values: bool = False
    ) -> Callable[..., Any]:
        """Return `function` of patterns (B, ny, nx) and targets (B,), compiled for a shape.

        Targets are columns, or with `values` real.
        """
        sizes = (None, None) if self.classifier.ANY_SIZE else shape
        found: Callable[..., Any] = engine.compiled(function, sizes, values)
        return found

    def _run(
        self,
        question: tuple[Any, ...],
        compute: Callable[[Any, Any], Any],
        patterns: Floats,
        targets: IntArray,
    ) -> Any:
        """Return the result of `compute` as arrays; it is compiled once per method and size."""
        shape = patterns.shape[1:]
        key = question if self.classifier.ANY_SIZE else (*question, shape)
        if key not in self._functions:
            self._functions[key] = self.compiled(compute, shape)
        given = ops.convert_to_tensor(patterns), ops.convert_to_tensor(targets)
        try:
            return engine.numpy(self._functions[key](*given))
        except (ValueError, RuntimeError) as error:
            if tuple(shape) == self.shape or isinstance(error, engine.OUT_OF_MEMORY):
                raise
            raise PatternError(
                f"the network reads {self.shape[0]} × {self.shape[1]} pixels, "
                f"not {shape[0]} × {shape[1]}: {str(error).strip().partition(chr(10))[0]}",
                where=type(self.classifier).__name__,
            ) from error


def _select_scores(scores: Any, columns: Any) -> Any:
    """Return the sum of each pattern's score in its column."""
    return ops.sum(ops.take_along_axis(scores, columns[:, None], axis=1))

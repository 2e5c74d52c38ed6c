"""The network in Keras, with NumPy arrays in and out.

Compiled functions are cached with the network, so only the first call is slow.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import attrs
import numpy as np

from speckle_core import IntArray, PluginError, team_size
from speckle_keras.backend import engine, keras
from speckle_keras.network import ResNet, build, fill, guided_relu, to_arrays
from speckle_keras.training import KerasTrainer
from speckle_resnet.architecture import Plan, Weights
from speckle_resnet.framework import Floats, Network, Trainer

ops = keras.ops
_FEATURES = ("amx_bf16", "avx512_bf16")


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
        return cls(place, _cpu_has_bfloat16() if cpu else engine.gpu_has_bfloat16(place))

    @property
    def name(self) -> str:
        """Keras and its backend."""
        return f"keras on {keras.config.backend()}"

    @property
    def processes(self) -> int:
        """One: training with several processes does not work in Keras."""
        return 1

    def network(self, plan: Plan, channels: int, classes: int, weights: Weights) -> KerasNetwork:
        """Return a new network with these weights."""
        with keras.device(self.device):
            return KerasNetwork(build(plan, channels, classes, weights), self)

    @contextlib.contextmanager
    def training(self, network: Network, weight_decay: float) -> Iterator[Trainer]:
        """Provide the trainer of the network.

        Raises
        ------
        PluginError
            When torchrun started several processes, each of which would train everything.
        """
        if team_size() > 1:
            raise PluginError(
                "'keras-resnet50' trains in one process, but torchrun started several",
                hint="Start it without torchrun, or train 'torch-resnet50' and convert it.",
            )
        assert isinstance(network, KerasNetwork)
        with network.computing():
            yield KerasTrainer(network.model, network.precision, weight_decay)


def _cpu_has_bfloat16() -> bool:
    """Return whether the processor supports bfloat16, as reported by Linux."""
    about = Path("/proc/cpuinfo")
    flags = about.read_text("utf-8").partition("\n\n")[0].split() if about.is_file() else []
    return any(feature in flags for feature in _FEATURES)


@attrs.frozen(eq=False)
class KerasNetwork:
    """One network and its compiled functions."""

    model: ResNet
    framework: KerasFramework
    _functions: dict[tuple[Any, ...], Callable[..., Any]] = attrs.field(init=False, factory=dict)

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

    def weights(self) -> Weights:
        """Return a copy of every tensor."""
        return to_arrays(self.model.named_variables())

    def fill(self, weights: Weights) -> None:
        """Copy these tensors into the network."""
        with keras.device(self.framework.device):
            fill(self.model.named_variables(), weights)

    def scores(self, patterns: Floats) -> Floats:
        """Return the linear class scores, (B, classes)."""

        def compute(values: Any, _: Any) -> Any:
            with self.model.computing_in(self.precision):
                return self.model(values)

        targets = np.zeros(len(patterns), np.int64)
        scores: Floats = self._run(("scores",), compute, patterns, targets)
        return scores

    def input_gradients(self, patterns: Floats, targets: IntArray, *, guided: bool) -> Floats:
        """Return d score[target] / d pattern, (B, ny, nx)."""
        relu = guided_relu if guided else ops.relu
        last = len(self.model.plan.blocks)

        def compute(values: Any, columns: Any) -> Any:
            def score(x: Any) -> Any:
                maps = self.model.until(last, x, relu)
                return _select_scores(self.model.after(last, maps), columns)

            return engine.gradient(score, values)

        gradients: Floats = self._run(("gradients", guided), compute, patterns, targets)
        return gradients

    def feature_maps(
        self, patterns: Floats, targets: IntArray, stage: int
    ) -> tuple[Floats, Floats]:
        """Return the maps of a stage and d score[target] / d maps, both (B, c, h, w)."""

        def compute(values: Any, columns: Any) -> Any:
            maps = self.model.until(stage, values)
            gradients = engine.gradient(
                lambda x: _select_scores(self.model.after(stage, x), columns), maps
            )
            return maps, gradients

        maps, gradients = self._run(("maps", stage), compute, patterns, targets)
        return maps.transpose(0, 3, 1, 2), gradients.transpose(0, 3, 1, 2)

    def _run(
        self,
        question: tuple[Any, ...],
        compute: Callable[[Any, Any], Any],
        patterns: Floats,
        targets: IntArray,
    ) -> Any:
        """Return the result of `compute` as arrays; it is compiled once per method."""
        if question not in self._functions:
            self._functions[question] = engine.compiled(compute)
        given = ops.convert_to_tensor(patterns), ops.convert_to_tensor(targets)
        return engine.numpy(self._functions[question](*given))


def _select_scores(scores: Any, columns: Any) -> Any:
    """Return the sum of each pattern's score in its column."""
    return ops.sum(ops.take_along_axis(scores, columns[:, None], axis=1))

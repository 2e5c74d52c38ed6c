"""A classifier's network in PyTorch, with NumPy arrays in and out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

import attrs
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter

from speckle_core import IntArray, PatternError, PluginError, team_size
from speckle_networks.framework import Floats, Network, Trainer, Weights
from speckle_networks.options import TrainingOptions
from speckle_torch.device import choose_device, limited_memory, uses_bfloat16
from speckle_torch.distributed import join_team
from speckle_torch.layers import GuidedMode
from speckle_torch.tensors import fill, to_arrays

if TYPE_CHECKING:
    from speckle_torch.classifier import TorchClassifier


@attrs.frozen
class TorchFramework:
    """PyTorch, on one device and in one precision."""

    device: torch.device
    bfloat16: bool

    @classmethod
    def chosen(
        cls, device: str, precision: Literal["auto", "float32", "bfloat16"]
    ) -> TorchFramework:
        """Return the framework for the given options.

        Raises
        ------
        OptionError
            When this machine has no such device.
        """
        place = choose_device(device)
        return cls(place, uses_bfloat16(precision, place))

    @property
    def name(self) -> str:
        """Its name in a checkpoint."""
        return "torch"

    @property
    def processes(self) -> int:
        """Number of processes that torchrun started."""
        return team_size()

    def network(
        self, classifier: TorchClassifier, shape: tuple[int, int], classes: int, seed: int | None
    ) -> TorchNetwork:
        """Return a new network with the first weights of `seed`, or with any.

        Raises
        ------
        PluginError
            When the classifier's method `network` does not return a module.
        """
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed or 0)
            module: Any = classifier.network(shape, classes)
            if not isinstance(module, nn.Module):
                raise PluginError(
                    f"network(shape, classes) returned {type(module).__name__}, not a torch module",
                    where=type(classifier).__name__,
                )
            if any(isinstance(p, UninitializedParameter) for p in module.parameters()):
                with torch.no_grad():
                    module.eval()(classifier.prepare_inputs(torch.zeros(1, *shape)))
            if seed is not None:
                classifier.initialise(module, seed)
        # torch's annotations of `Module.to` lack the documented memory format.
        module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return TorchNetwork(module.to(self.device).eval(), classifier, shape, classes, self)

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
        """Provide the trainer of the network, synchronized with the other processes of torchrun."""
        from speckle_torch.training import TorchTrainer

        assert isinstance(network, TorchNetwork)
        if not network.parameters:
            raise PluginError(
                "nothing in the network can be trained: it has no parameters",
                where=type(network.classifier).__name__,
            )
        with join_team(self.device) as team, network.computing():
            for parameter in network.parameters.values():
                parameter.requires_grad_(True)
            joined = team.joined(network.module, self.device)
            try:
                yield TorchTrainer(network, joined, team, options, seed, weights, values)
            finally:
                team.leave(network.module)
                network.module.zero_grad(set_to_none=True)
                network.module.eval().requires_grad_(False)


@attrs.define(eq=False)
class TorchNetwork:
    """One network on a device; gradients and maps are always computed in float32."""

    module: nn.Module
    classifier: TorchClassifier
    shape: tuple[int, int]
    classes: int
    framework: TorchFramework
    #: The parameters that are trained, by their names in the module.
    parameters: dict[str, nn.Parameter] = attrs.field(init=False)
    _layers: dict[str, nn.Module] | None = attrs.field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        named = self.module.named_parameters()
        self.parameters = {name: p for name, p in named if p.requires_grad}
        self.module.requires_grad_(False)

    @property
    def device(self) -> torch.device:
        """Where it is."""
        return self.framework.device

    @property
    def pixels_at_once(self) -> int:
        """Number of pixels in one forward pass, limited by the expected memory."""
        return 2**24 if self.device.type == "cuda" else 2**20

    @contextlib.contextmanager
    def computing(self) -> Iterator[None]:
        """Turn an out-of-memory error into a `ModelError`."""
        with limited_memory():
            yield

    def stored(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return views of tensors of the module as files have them, by their names there."""
        found = (self.classifier.stored_tensor(name, tensor) for name, tensor in tensors.items())
        return dict(pair for pair in found if pair is not None)

    @property
    def learned(self) -> frozenset[str]:
        """Names of the tensors that the optimiser trains."""
        return frozenset(self.stored(self.parameters))

    def weights(self) -> Weights:
        """Return a copy of every tensor."""
        return to_arrays(self.stored(self.module.state_dict()))

    def fill(self, weights: Weights) -> None:
        """Copy these tensors into the network."""
        fill(self.stored(self.module.state_dict()), weights)

    def forward(self, module: nn.Module, patterns: Tensor, *, coarse: bool = False) -> Tensor:
        """Return what `module`, this network's, says of patterns; `coarse` allows bfloat16.

        Raises
        ------
        PatternError
            When it cannot read patterns of another size than those of its training.
        PluginError
            When it does not return one score for each class.
        """
        inputs = self.classifier.prepare_inputs(patterns)
        try:
            with torch.autocast(
                self.device.type, torch.bfloat16, coarse and self.framework.bfloat16
            ):
                scores: Tensor = module(inputs)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            if tuple(patterns.shape[1:]) == self.shape:
                raise
            raise PatternError(
                f"the network reads {self.shape[0]} × {self.shape[1]} pixels, "
                f"not {patterns.shape[1]} × {patterns.shape[2]}: {error}",
                where=type(self.classifier).__name__,
            ) from error
        if tuple(scores.shape) != (len(patterns), self.classes):
            raise PluginError(
                f"the network returned {tuple(scores.shape)} for {len(patterns)} patterns, "
                f"not one score for each of {self.classes} classes",
                where=type(self.classifier).__name__,
            )
        return scores

    def scores(self, patterns: Floats) -> Floats:
        """Return the linear class scores, (B, classes)."""
        with torch.no_grad():
            scores = self.forward(self.module, self._tensor(patterns), coarse=True)
        return _array(scores)

    def input_gradients(self, patterns: Floats, targets: IntArray, *, guided: bool) -> Floats:
        """Return d score[target] / d pattern, (B, ny, nx)."""
        values = self._tensor(patterns).requires_grad_()
        with GuidedMode() if guided else contextlib.nullcontext():
            scores = self.forward(self.module, values)
        return _array(self._gradient(scores, targets, values))

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers whose maps can be shown; the last one is the default."""
        return tuple(self._found_layers())

    def _found_layers(self) -> dict[str, nn.Module]:
        if self._layers is None:
            self._layers = dict(self.classifier.layers(self.module)) or self._with_maps()
        return self._layers

    def _with_maps(self) -> dict[str, nn.Module]:
        """Return the modules that put out maps of more than one pixel, as they compute."""
        names = {module: name for name, module in self.module.named_modules() if name}
        found: dict[str, nn.Module] = {}

        def note(module: nn.Module, _: Any, output: Any) -> None:
            if isinstance(output, Tensor) and output.ndim == 4 and output[0, 0].numel() > 1:
                found.pop(names[module], None)
                found[names[module]] = module

        with contextlib.ExitStack() as hooks, torch.no_grad():
            for module in names:
                hooks.callback(module.register_forward_hook(note).remove)
            self.forward(self.module, torch.zeros(1, *self.shape, device=self.device))
        return found

    def feature_maps(
        self, patterns: Floats, targets: IntArray, layer: str
    ) -> tuple[Floats, Floats]:
        """Return what a layer puts out and d score[target] / d maps, both (B, c, h, w)."""
        caught: list[Tensor] = []

        def catch(_: nn.Module, __: Any, output: Tensor) -> Tensor:
            caught.append(output.detach().requires_grad_())
            # A copy, since the next layer may overwrite what it is given.
            return caught[-1].clone()

        with torch.enable_grad():
            hook = self._found_layers()[layer].register_forward_hook(catch)
            try:
                scores = self.forward(self.module, self._tensor(patterns))
            finally:
                hook.remove()
            if len(caught) != 1 or caught[0].ndim != 4:
                shapes = [tuple(maps.shape) for maps in caught]
                raise PluginError(
                    f"layer {layer!r} put out {shapes or 'nothing'}, not maps (B, c, h, w) once",
                    where=type(self.classifier).__name__,
                )
            return _array(caught[0]), _array(self._gradient(scores, targets, caught[0]))

    def _tensor(self, values: Floats) -> Tensor:
        return torch.tensor(values, device=self.device)

    def _gradient(self, scores: Tensor, targets: IntArray, of: Tensor) -> Tensor:
        """Return the gradient of the sum of each pattern's score in its column."""
        columns = torch.tensor(np.asarray(targets), device=self.device)
        (found,) = torch.autograd.grad(scores.gather(1, columns[:, None]).sum(), of)
        return found


def _array(tensor: Tensor) -> Floats:
    return tensor.detach().float().cpu().numpy()

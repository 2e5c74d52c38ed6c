"""`TorchClassifier`: any `torch.nn.Module` as a classifier. torch is imported on first use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from speckle_networks.classifier import NetworkClassifier
from speckle_networks.framework import Framework, claim

if TYPE_CHECKING:
    from torch import Tensor, nn


@attrs.define(kw_only=True, eq=False)
class TorchClassifier(NetworkClassifier):
    """A classifier around a `torch.nn.Module`; a subclass needs only the method `network`.

    Options of the network are attrs fields of the subclass. Those of the training, such as
    `epochs`, are inherited and may be given other defaults. Under torchrun several processes train
    one network: each calls `fit` and takes its share of every batch; the first one reports and
    writes. While training so, batch norm uses the whole batch.

    Examples
    --------
    >>> @attrs.define(kw_only=True, eq=False)
    ... class Small(TorchClassifier):
    ...     width: int = 16
    ...
    ...     def network(self, shape, classes):
    ...         from torch import nn
    ...
    ...         return nn.Sequential(
    ...             nn.Conv2d(1, self.width, 5, stride=2),
    ...             nn.ReLU(),
    ...             nn.AdaptiveAvgPool2d(1),
    ...             nn.Flatten(),
    ...             nn.Linear(self.width, classes),
    ...         )
    """

    def network(self, shape: tuple[int, int], classes: int) -> nn.Module:
        """Return a new network: from inputs (B, 1, ny, nx) to linear scores (B, classes).

        It is called with torch's random state seeded, so layers may draw their first weights as
        usual. Import torch here, not at the top of the module.

        Parameters
        ----------
        shape : tuple of int
            (ny, nx) of the patterns that it is trained on, after `crop` and `half`.
        classes : int
            Number of scores.
        """
        raise NotImplementedError(f"{type(self).__name__} has no method network(shape, classes)")

    def prepare_inputs(self, patterns: Tensor) -> Tensor:
        """Return what the network reads of patterns (B, ny, nx), float32 on the device.

        By default one channel, (B, 1, ny, nx). It must be differentiable, since saliency is the
        gradient with respect to `patterns`, and has no weights to learn.
        """
        return patterns[:, None]

    def layers(
        self,
        network: nn.Module,  # noqa: ARG002 - for those who override it
    ) -> Mapping[str, nn.Module]:
        """Return the layers that Grad-CAM can show by their names; the last one is the default.

        Each puts out maps (B, c, h, w). By default, all modules that do, by their names in the
        network, in the order in which they compute.
        """
        return {}

    def initialise(self, network: nn.Module, seed: int) -> None:
        """Replace the first weights that `network` came with; by default they stay."""

    def stored_tensor(self, name: str, tensor: Tensor) -> tuple[str, Tensor] | None:
        """Return the name of a tensor in files, and a view of it in their layout; None omits it.

        `name` is that of `torch.nn.Module.state_dict`. By default both are torch's own; networks
        that exist in two frameworks choose names and layouts that both can read.
        """
        return name, tensor

    def to_onnx(self, metadata: Mapping[str, str]) -> bytes:
        """Return the ONNX file of the trained network, with `metadata` as its properties.

        It reads prepared patterns, float32 (batch, ny, nx), of the size of the training.

        Raises
        ------
        ModelError
            When the network is not trained yet.
        MissingDependencyError
            When onnx or onnxscript is not installed.
        PluginError
            When the network does something that ONNX cannot express.
        """
        from speckle_torch.export import to_onnx
        from speckle_torch.framework import TorchNetwork

        fitted = self._ready()
        assert isinstance(fitted.network, TorchNetwork)
        return to_onnx(fitted.network, fitted.size, self.view, metadata)

    def _framework(self) -> Framework:
        claim("torch")
        from speckle_torch.framework import TorchFramework

        return TorchFramework.chosen(self.device, self.precision)

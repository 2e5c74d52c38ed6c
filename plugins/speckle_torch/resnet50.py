"""`torch-resnet50`: the paper's network in PyTorch; its table is that of `speckle_resnet`.

torch is imported on first use, so that options can be listed without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from speckle_resnet.architecture import initial_weights, tensors
from speckle_resnet.classifier import ResNet50
from speckle_torch.classifier import TorchClassifier

if TYPE_CHECKING:
    from torch import Tensor, nn

    from speckle_torch.network import ResNet


@attrs.define(kw_only=True, eq=False)
class TorchResNet50(ResNet50, TorchClassifier):
    """Pre-activation ResNet-50 in PyTorch.

    Options and files are those of `keras-resnet50`. Under torchrun several processes train one
    network: each calls `fit` and takes its share of every batch; the first one reports and writes.
    """

    def network(
        self,
        shape: tuple[int, int],  # noqa: ARG002 - it reads any size
        classes: int,
    ) -> ResNet:
        """Return the network, without weights."""
        import torch

        from speckle_torch.network import ResNet

        with torch.device("meta"):
            network = ResNet(self._plan(), self.channels, classes)
        return network.to_empty(device="cpu")

    def prepare_inputs(self, patterns: Tensor) -> Tensor:
        """Return the patterns: the network copies them into its channels."""
        return patterns

    def layers(self, network: nn.Module) -> Mapping[str, nn.Module]:
        """Return the last block of each stage, and of the last one the final ReLU."""
        from speckle_torch.network import ResNet

        assert isinstance(network, ResNet)
        return network.ends()

    def initialise(self, network: nn.Module, seed: int) -> None:
        """Draw the weights that both frameworks start from."""
        from speckle_torch.network import ResNet, named_tensors
        from speckle_torch.tensors import fill

        assert isinstance(network, ResNet)
        shapes = tensors(self._plan(), self.channels, network.dense.out_features)
        fill(named_tensors(network), initial_weights(shapes, seed))

    def stored_tensor(self, name: str, tensor: Tensor) -> tuple[str, Tensor] | None:
        """Return Keras' name and layout."""
        from speckle_torch.network import keras_tensor

        return keras_tensor(name, tensor)

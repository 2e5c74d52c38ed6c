"""`keras-resnet50`: the paper's network in Keras; its table is that of `speckle_resnet`.

Keras is imported on first use, so that options can be listed without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import attrs

from speckle_keras.classifier import KerasClassifier
from speckle_resnet.architecture import initial_weights, tensors
from speckle_resnet.classifier import ResNet50


@attrs.define(kw_only=True, eq=False)
class KerasResNet50(ResNet50, KerasClassifier):
    """Pre-activation ResNet-50 in Keras 3, on TensorFlow or the backend in ``KERAS_BACKEND``.

    Options and files are those of `torch-resnet50`. It trains in one process.
    """

    ANY_SIZE: ClassVar[bool] = True

    def network(
        self,
        shape: tuple[int, int],  # noqa: ARG002 - it reads any size
        classes: int,
    ) -> Any:
        """Return the network, without weights."""
        from speckle_keras.network import ResNet

        return ResNet(self._plan(), self.channels, classes)

    def prepare_inputs(self, patterns: Any) -> Any:
        """Return the patterns: the network copies them into its channels."""
        return patterns

    def layers(self, network: Any) -> Mapping[str, Any]:
        """Return the end of each stage; that of the last one follows the final ReLU."""
        ends: Mapping[str, Any] = network.ends
        return ends

    def initialise(self, network: Any, seed: int) -> None:
        """Draw the weights that both frameworks start from."""
        from speckle_keras.tensors import fill

        shapes = tensors(self._plan(), self.channels, network.classes)
        fill(network.named_variables(), initial_weights(shapes, seed))

    def stored_variables(self, network: Any) -> dict[str, Any]:
        """Return the variables under the names of `architecture`."""
        found: dict[str, Any] = network.named_variables()
        return found

"""`keras-resnet50`: the paper's network in Keras, based on `speckle_resnet`.

Keras is imported on first use, so that options can be listed without it.
"""

from __future__ import annotations

import attrs

from speckle_resnet.classifier import ResNet50
from speckle_resnet.framework import Framework


@attrs.define(kw_only=True, eq=False)
class KerasResNet50(ResNet50):
    """Pre-activation ResNet-50 in Keras 3, on TensorFlow or the backend in ``KERAS_BACKEND``.

    Options and files are those of `torch-resnet50`. It trains in one process.
    """

    def _framework(self) -> Framework:
        from speckle_keras.framework import KerasFramework

        return KerasFramework.chosen(self.device, self.precision)

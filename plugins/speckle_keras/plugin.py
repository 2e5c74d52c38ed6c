"""The plugin hook; listing it imports neither Keras nor a backend."""

from __future__ import annotations

import os
from collections.abc import Iterable

from speckle_core import Component, hookimpl


@hookimpl
def speckle_classifiers() -> Iterable[Component]:
    """Return the paper's network, with the backend selected by ``KERAS_BACKEND``."""
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    yield Component(
        "keras-resnet50",
        "speckle_keras.resnet50:KerasResNet50",
        "Pre-activation ResNet-50, the paper's network, in Keras.",
        requires=("keras", backend, "safetensors"),
        extra="keras,torch" if backend == "torch" else "keras",
        reference="doi:10.1007/978-3-319-46493-0_38",
    )

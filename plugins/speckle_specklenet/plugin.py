"""The plugin hook; listing it imports neither a framework nor NumPy."""

from __future__ import annotations

import os
from collections.abc import Iterable

from speckle_core import Component, hookimpl


@hookimpl
def speckle_classifiers() -> Iterable[Component]:
    """Return the network, in Keras with the backend selected by ``KERAS_BACKEND``."""
    yield Component(
        "torch-specklenet",
        "speckle_specklenet.classifier:TorchSpeckleNet",
        "A small network on the Patterson map and the structure refined from it, in PyTorch.",
        requires=("torch", "safetensors"),
        extra="torch",
    )
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    yield Component(
        "keras-specklenet",
        "speckle_specklenet.classifier:KerasSpeckleNet",
        "A small network on the Patterson map and the structure refined from it, in Keras.",
        requires=("keras", backend, "safetensors"),
        extra="keras,torch" if backend == "torch" else "keras",
    )

"""The plugin hook; listing it imports neither torch nor NumPy."""

from __future__ import annotations

from collections.abc import Iterable

from speckle_core import Component, hookimpl


@hookimpl
def speckle_classifiers() -> Iterable[Component]:
    """Return the network."""
    yield Component(
        "torch-specklenet",
        "speckle_specklenet.classifier:TorchSpeckleNet",
        "A small network on the Patterson map and the structure refined from it, in PyTorch.",
        requires=("torch", "safetensors"),
        extra="torch",
    )

"""The plugin hook; listing it imports neither torch nor NumPy."""

from __future__ import annotations

from collections.abc import Iterable

from speckle_core import Component, hookimpl


@hookimpl
def speckle_scatterers() -> Iterable[Component]:
    """Return the scatterer for patterns that are simulated in batches."""
    yield Component(
        "torch-analytic",
        "speckle_torch.scatterer:TorchAnalytic",
        "The sum of `analytic` for batches of patterns, on a CPU or GPU in single precision.",
        requires=("torch",),
        extra="torch",
        reference="J. Als-Nielsen and D. McMorrow, Elements of Modern X-ray Physics, chapter 4",
    )


@hookimpl
def speckle_classifiers() -> Iterable[Component]:
    """Return the paper's network."""
    yield Component(
        "torch-resnet50",
        "speckle_torch.resnet50:TorchResNet50",
        "Pre-activation ResNet-50, the paper's network, in PyTorch.",
        requires=("torch", "safetensors"),
        extra="torch",
        reference="doi:10.1007/978-3-319-46493-0_38",
    )

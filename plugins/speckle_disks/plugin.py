"""The plugin hook; it must not import anything heavy."""

from __future__ import annotations

from collections.abc import Iterable

from speckle_core import Component, hookimpl

_PAPER = (
    "M. Shen et al., Machine learning for classifying and interpreting coherent X-ray speckle "
    "patterns, section 2"
)


@hookimpl
def speckle_samplers() -> Iterable[Component]:
    """Return the samplers of disks."""
    return [
        Component(
            "monodisperse",
            "speckle_disks.samplers:Monodisperse",
            "Equal disks without overlap, with the same total area for every n.",
            reference=_PAPER,
        ),
        Component(
            "polydisperse",
            "speckle_disks.samplers:Polydisperse",
            "Disks of Gaussian sizes without overlap, scaled to the same total area.",
            reference=_PAPER,
        ),
    ]

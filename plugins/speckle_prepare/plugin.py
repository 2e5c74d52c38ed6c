"""The plugin hook; it must not import anything heavy."""

from __future__ import annotations

from collections.abc import Iterable

from speckle_core import Component, hookimpl

_PAPER = (
    "M. Shen et al., Machine learning for classifying and interpreting coherent X-ray speckle "
    "patterns, section 2"
)


@hookimpl
def speckle_preprocessors() -> Iterable[Component]:
    """Return the preprocessors."""
    return [
        Component(
            "block-center",
            "speckle_prepare.steps:BlockCenter",
            "A square beamstop: the pixels around k = 0 become 0.",
            reference=_PAPER,
        ),
        Component(
            "standardize",
            "speckle_prepare.steps:Standardize",
            "Zero mean and unit variance, pattern by pattern.",
            reference=_PAPER,
        ),
        Component(
            "min-max",
            "speckle_prepare.steps:MinMax",
            "Smallest pixel to 0, largest to 1, pattern by pattern.",
            reference=_PAPER,
        ),
        Component(
            "log",
            "speckle_prepare.steps:Log",
            "log(1 + I / scale), which compresses the range of bright and dark fringes.",
            reference="numpy.log1p",
        ),
    ]

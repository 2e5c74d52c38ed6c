"""The plugin hook; it must not import anything heavy."""

from __future__ import annotations

from collections.abc import Iterable

from speckle_core import Component, hookimpl


@hookimpl
def speckle_detectors() -> Iterable[Component]:
    """Return the detectors."""
    return [
        Component(
            "ideal",
            "speckle_detectors.ideal:Ideal",
            "The intensity itself; every pixel counts.",
        ),
        Component(
            "counting",
            "speckle_detectors.counting:Counting",
            "Photon counts with noise, gaps, defect pixels and a beamstop.",
            reference="J. R. Janesick, Photon Transfer, SPIE Press (2007)",
        ),
    ]

"""The plugin hook; it must not import anything heavy."""

from __future__ import annotations

from collections.abc import Iterable

from speckle_core import Component, hookimpl

_PAPER = (
    "M. Shen et al., Machine learning for classifying and interpreting coherent X-ray speckle "
    "patterns, section 2"
)


@hookimpl
def speckle_scatterers() -> Iterable[Component]:
    """Return the scatterers."""
    return [
        Component(
            "analytic",
            "speckle_scatter.analytic:Analytic",
            "Exact sum of form factors and phases, for bodies of any shape.",
            reference="J. Als-Nielsen and D. McMorrow, Elements of Modern X-ray Physics, chapter 4",
        ),
        Component(
            "fft",
            "speckle_scatter.raster:Fft",
            "Transform of a raster of the box: the result of a padded FFT without the padding.",
            reference=_PAPER,
        ),
        Component(
            "nufft",
            "speckle_scatter.nufft:Nufft",
            "The sum of `analytic`, by a non-uniform FFT for hundreds of bodies and more.",
            requires=("finufft",),
            extra="nufft",
            reference="doi:10.1137/18M120885X",
        ),
        Component(
            "gaussian-schell",
            "speckle_scatter.beam:GaussianSchell",
            "Exact sum in a finite, partially coherent Gaussian beam.",
            reference="I. A. Vartanyants and A. Singer, New J. Phys. 12, 035004 (2010)",
        ),
    ]

"""The plugin hook; it must not import anything heavy."""

from __future__ import annotations

from collections.abc import Iterable

from speckle_core import Component, hookimpl


@hookimpl
def speckle_classifiers() -> Iterable[Component]:
    """Return the five baselines; scikit-learn is needed to fit them, not to load them."""
    return [
        Component(
            "radial-lda",
            "speckle_baselines.radial_lda:RadialLDA",
            "A linear rule on the mean and contrast of every ring about k = 0.",
            requires=("sklearn", "safetensors"),
            reference="doi:10.1016/S0047-259X(03)00096-4",
        ),
        Component(
            "first-moment",
            "speckle_baselines.first_moment:FirstMoment",
            "The first moment of the intensity, the paper's conventional analysis.",
            requires=("sklearn", "safetensors"),
            reference="the paper, figure 6",
        ),
        Component(
            "form-factor-fit",
            "speckle_baselines.form_factor_fit:FormFactorFit",
            "The radius of equal disks, fitted by maximum likelihood to the azimuthal profile.",
            requires=("sklearn", "safetensors"),
            reference="A. Guinier and G. Fournet, Small-Angle Scattering of X-rays (1955)",
        ),
        Component(
            "contrast",
            "speckle_baselines.contrast:Contrast",
            "The speckle contrast, 1 - 1/n for n equal bodies.",
            requires=("sklearn", "safetensors"),
            reference="J. W. Goodman, Speckle Phenomena in Optics (2007)",
        ),
        Component(
            "pair-peaks",
            "speckle_baselines.pair_peaks:PairPeaks",
            "Peaks of pairs of bodies in the Patterson map, and the azimuthal profile.",
            requires=("sklearn", "safetensors"),
            reference="A. L. Patterson, Phys. Rev. 46, 372 (1934)",
        ),
    ]

"""The plugin hook; it must not import anything heavy."""

from __future__ import annotations

from collections.abc import Iterable

from speckle_core import Component, hookimpl


@hookimpl
def speckle_explainers() -> Iterable[Component]:
    """Return the explainers."""
    yield Component(
        "saliency",
        "speckle_explain.saliency:Saliency",
        "Absolute gradient of the class score with respect to each pixel.",
        reference="Simonyan et al. 2013, doi:10.48550/arXiv.1312.6034",
    )
    yield Component(
        "guided-saliency",
        "speckle_explain.saliency:GuidedSaliency",
        "Saliency with ReLUs that pass back only positive gradients.",
        reference="Springenberg et al. 2015, doi:10.48550/arXiv.1412.6806",
    )
    yield Component(
        "grad-cam",
        "speckle_explain.grad_cam:GradCam",
        "Feature maps of a convolutional stage, weighted by their mean gradients.",
        reference="Selvaraju et al. 2017, doi:10.1109/ICCV.2017.74",
    )
    yield Component(
        "integrated-gradients",
        "speckle_explain.integrated:IntegratedGradients",
        "Gradients integrated from an empty pattern; they sum to the difference in score.",
        reference="Sundararajan et al. 2017, doi:10.48550/arXiv.1703.01365",
    )
    yield Component(
        "smooth-saliency",
        "speckle_explain.smooth:SmoothSaliency",
        "Saliency averaged over noisy or shifted copies, which can even out the strides' lattice.",
        reference="Smilkov et al. 2017, doi:10.48550/arXiv.1706.03825",
    )
    yield Component(
        "occlusion",
        "speckle_explain.occlusion:Occlusion",
        "Loss of score when the speckle of a window is gone; for any classifier.",
        reference="Zeiler and Fergus 2014, doi:10.1007/978-3-319-10590-1_53",
    )

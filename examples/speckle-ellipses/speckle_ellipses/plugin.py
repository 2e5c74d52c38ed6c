"""What this package offers. Listing it must stay cheap, so classes are given as paths."""

from __future__ import annotations

from collections.abc import Iterable

from speckle_core import Component, hookimpl

SPECKLE_API = 1


@hookimpl
def speckle_samplers() -> Iterable[Component]:
    yield Component(
        "ellipses",
        "speckle_ellipses.samplers:RandomEllipses",
        "Equal ellipses of random orientation, without overlap, of one total area.",
    )
    yield Component(
        "circles-and-ellipses",
        "speckle_ellipses.samplers:CirclesAndEllipses",
        "A mixture of circles and ellipses of equal area, without overlap.",
    )


@hookimpl
def speckle_classifiers() -> Iterable[Component]:
    yield Component(
        "coarse-logistic",
        "speckle_ellipses.classifier:CoarseLogistic",
        "Logistic regression on a pattern averaged over coarse cells (scikit-learn).",
        requires=("sklearn",),
    )


@hookimpl
def speckle_explainers() -> Iterable[Component]:
    yield Component(
        "patch-occlusion",
        "speckle_ellipses.explainer:Occlusion",
        "The probability lost when a patch of the pattern is blanked.",
        reference="M. D. Zeiler and R. Fergus, ECCV 2014, doi:10.1007/978-3-319-10590-1_53",
    )

"""What this package offers. Listing it must stay cheap, so the class is given as a path."""

from __future__ import annotations

from collections.abc import Iterable

from speckle_core import Component, hookimpl

SPECKLE_API = 1


@hookimpl
def speckle_classifiers() -> Iterable[Component]:
    yield Component(
        "vit",
        "speckle_vit.classifier:VisionTransformer",
        "A small vision transformer, trained from scratch.",
        requires=("torch", "safetensors"),
        reference="arXiv:2010.11929",
    )

"""Access to the optional capabilities of a classifier, with a clear error if one is missing.

Returned arrays are checked here, so that no explainer makes a map from an array of a wrong shape.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import numpy as np

from speckle_core import (
    Classifier,
    DataError,
    FloatArray,
    IntArray,
    OptionError,
    PluginError,
    SupportsFeatureMaps,
    SupportsGradients,
)


def gradients_of(classifier: Classifier, explainer: str) -> SupportsGradients:
    """Return `classifier` if it provides gradients, or raise `PluginError`."""
    if isinstance(classifier, SupportsGradients):
        return classifier
    raise _lacking(classifier, explainer, "gradients", "input_gradients (SupportsGradients)")


def feature_maps_of(classifier: Classifier, explainer: str) -> SupportsFeatureMaps:
    """Return `classifier` if it provides feature maps, or raise `PluginError`."""
    if isinstance(classifier, SupportsFeatureMaps):
        return classifier
    raise _lacking(classifier, explainer, "feature maps", "feature_maps (SupportsFeatureMaps)")


def _lacking(classifier: object, explainer: str, power: str, method: str) -> PluginError:
    return PluginError(
        f"{explainer!r} needs {power}, which the classifier {type(classifier).__name__} "
        "does not provide",
        hint="Leave it out (in an experiment: --set 'explainers=[]'), explain another classifier, "
        f"or give this one the method {method}.",
    )


def input_gradients(
    classifier: SupportsGradients, patterns: FloatArray, targets: IntArray, *, guided: bool = False
) -> FloatArray:
    """Return d score[target] / d pattern, (B, ny, nx), after checking its shape."""
    found = classifier.input_gradients(patterns, targets, guided=guided)
    if found.shape != patterns.shape:
        raise PluginError(
            f"input_gradients returned an array of shape {found.shape} for patterns of shape "
            f"{patterns.shape}",
            where=type(classifier).__name__,
        )
    return found


def batches(
    patterns: FloatArray, targets: IntArray, size: int
) -> Iterator[tuple[FloatArray, IntArray]]:
    """Iterate over at most `size` patterns with their targets, so that memory stays bounded.

    Raises
    ------
    DataError
        When there is not exactly one target for each pattern.
    """
    targets = np.asarray(targets)
    if patterns.ndim != 3 or targets.shape != patterns.shape[:1]:
        raise DataError(
            f"patterns of shape {patterns.shape} and targets of shape {targets.shape} "
            "are not (B, ny, nx) and (B,)"
        )
    for start in range(0, len(patterns), size):
        yield patterns[start : start + size], targets[start : start + size]


def at_least_one(_: object, attribute: attrs.Attribute[int], value: int) -> None:
    """Reject a number of patterns or steps below 1 (a validator for attrs fields)."""
    if value < 1:
        raise OptionError(f"must be at least 1, not {value}", where=attribute.name)

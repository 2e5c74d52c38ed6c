"""What the optional capabilities of a classifier are held to, where it has them.

Its scores cannot be seen, but ``log p_a - log p_b`` is the difference of two scores, so gradients
are compared with differences of that between patterns that lie close together.
"""

# ruff: noqa: D401 - a check's docstring is its requirement, shown to users

from __future__ import annotations

import typing
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speckle_core.contracts.capabilities import (
    SupportsFeatureMaps,
    SupportsGradients,
    SupportsRandomised,
    SupportsRegion,
)
from speckle_core.contracts.roles import Classifier
from speckle_core.plugins.component import options_of
from speckle_core.testing.check import Check, CheckSkipped, Subject, require
from speckle_core.testing.classifier import SEED, barely_trained, fitted
from speckle_core.testing.specimens import easy_patterns

Array = NDArray[np.float64]

#: Changes of the score difference that the steps aim at: kinks of a network spoil the large ones,
#: rounding the small ones, so the best of them counts.
_CHANGES = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003)
#: Allowed between derivatives and differences, as a share of either; kinks and rounding cost 0.2.
_TOLERANCE = 0.35


def _patterns() -> Any:
    return easy_patterns(0).batch(range(4))[0]


def _having(subject: Subject, capability: type, name: str) -> Any:
    classifier = fitted(subject)
    if not isinstance(classifier, capability):
        raise CheckSkipped(f"it does not offer {name}, which is optional")
    return classifier


def _exact(subject: Subject, classifier: Classifier) -> Classifier:
    """Return it trained in float32, if it has an option for that: bfloat16 drowns differences."""
    for option in options_of(subject.factory):
        offered = "float32" in typing.get_args(option.type)
        if option.name == "precision" and offered and "precision" not in subject.options:
            made: Classifier = subject.make(precision="float32", **barely_trained(subject))
            made.fit(easy_patterns(0), easy_patterns(100), seed=SEED)
            return made
    return classifier


def gradients_have_the_patterns_shape(subject: Subject) -> None:
    """Gradients, if it offers them, are finite and of the patterns' shape, guided or not."""
    classifier = _having(subject, SupportsGradients, "input_gradients")
    patterns, targets = _patterns(), np.array([0, 1, 2, 3])
    for guided in (False, True):
        found = np.asarray(classifier.input_gradients(patterns, targets, guided=guided))
        require(
            found.shape == patterns.shape,
            f"patterns of {patterns.shape} gave gradients of {found.shape}",
        )
        require(np.isfinite(found).all(), "a gradient is NaN or infinite")


def gradients_are_those_of_the_scores(subject: Subject) -> None:
    """Gradients, if it offers them, agree with finite differences of the scores."""
    classifier: Any = _exact(subject, _having(subject, SupportsGradients, "input_gradients"))
    pattern = _patterns()[:1]
    first, second = np.argsort(classifier.predict_proba(pattern)[0])[:-3:-1]
    slope = np.asarray(
        classifier.input_gradients(pattern, np.array([first]))
        - classifier.input_gradients(pattern, np.array([second])),
        dtype=np.float64,
    )[0]
    size = float(np.sqrt(np.sum(slope**2)))
    require(size > 0, "the gradients of two classes are the same")
    # Along itself a gradient tells its length; across, whether pixels were left out.
    rng = np.random.default_rng(1)
    signs = rng.choice([-1.0, 1.0], size=(3, *slope.shape)) / np.sqrt(slope.size)
    for directions, typical in ((slope[None] / size, size), (signs, size / np.sqrt(slope.size))):
        off = [_miss(classifier, pattern, (first, second), slope, d, typical) for d in directions]
        missed = float(np.sqrt(np.mean(np.square(off)))) / typical
        require(
            missed <= _TOLERANCE,
            f"finite differences of the scores miss the gradients by {missed:.0%}",
            "input_gradients gives d score[target] / d pattern, of the score before the softmax.",
        )


def _miss(
    classifier: Classifier,
    pattern: Any,
    pair: tuple[int, int],
    slope: Array,
    direction: Array,
    typical: float,
) -> float:
    """Return by how much the best central difference along `direction` misses the gradient."""
    found = []
    for change in _CHANGES:
        step = change / typical
        moved = np.concatenate([pattern + step * direction, pattern - step * direction])
        odds = np.log(np.maximum(classifier.predict_proba(moved.astype(pattern.dtype)), 1e-300))
        up, down = odds[:, pair[0]] - odds[:, pair[1]]
        found.append(abs(float(up - down) / (2 * step) - float(np.sum(slope * direction))))
    return min(found)


def feature_maps_have_gradients_of_their_shape(subject: Subject) -> None:
    """Feature maps, if it offers them, are (B, c, h, w), finite, with gradients of that shape."""
    classifier = _having(subject, SupportsFeatureMaps, "feature_maps")
    maps, gradients = map(np.asarray, classifier.feature_maps(_patterns(), np.arange(4)))
    require(maps.ndim == 4 and len(maps) == 4, f"4 patterns gave maps of {maps.shape}")
    require(gradients.shape == maps.shape, f"maps {maps.shape}, gradients {gradients.shape}")
    require(np.isfinite(maps).all() and np.isfinite(gradients).all(), "a value is NaN or infinite")


def region_holds_all_that_is_read(subject: Subject) -> None:
    """Pixels outside its region, if it names one, never change a probability."""
    classifier = _having(subject, SupportsRegion, "region")
    patterns = _patterns()
    read = np.asarray(classifier.region(patterns.shape[1:]))
    require(read.shape == patterns.shape[1:] and read.dtype == bool, f"region gave {read.shape}")
    require(read.any(), "it says that it reads no pixel")
    changed = np.where(read, patterns, patterns + 3).astype(patterns.dtype)
    off = np.abs(classifier.predict_proba(patterns) - classifier.predict_proba(changed)).max()
    require(off <= 1e-6, f"a pixel outside changes a probability by {off:.2g}")


def randomised_knows_nothing(subject: Subject) -> None:
    """The randomised network, if it offers one, is another one, decided by its seed alone."""
    classifier = _having(subject, SupportsRandomised, "randomised")
    patterns = _patterns()
    before = np.asarray(classifier.predict_proba(patterns))
    one, same = (classifier.randomised(seed=3).predict_proba(patterns) for _ in range(2))
    require(np.allclose(one, same, atol=1e-5), "one seed gave two different networks")
    require(not np.allclose(one, before, atol=1e-6), "it predicts as the trained one does")
    off = np.abs(before - classifier.predict_proba(patterns)).max()
    require(off <= 1e-5, f"the trained one changed by {off:.2g}")


CHECKS = (
    Check("classifier.gradients-have-the-patterns-shape", gradients_have_the_patterns_shape),
    Check("classifier.gradients-are-those-of-the-scores", gradients_are_those_of_the_scores),
    Check("classifier.feature-maps-have-gradients", feature_maps_have_gradients_of_their_shape),
    Check("classifier.region-holds-all-that-is-read", region_holds_all_that_is_read),
    Check("classifier.randomised-knows-nothing", randomised_knows_nothing),
)

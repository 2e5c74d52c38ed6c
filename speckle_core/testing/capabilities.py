"""What the optional capabilities of a classifier are held to, where it has them.

Its scores cannot be seen, but ``log p_a - log p_b`` is the difference of two scores, so gradients
are compared with differences of that between patterns that lie close together. Gradients on feature
maps are compared by the chain rule: a small change of the pattern changes the maps, and through
them the scores.
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
from speckle_core.testing.check import (
    Check,
    CheckFailed,
    CheckSkipped,
    Subject,
    require,
)
from speckle_core.testing.classifier import SEED, barely_trained, fitted
from speckle_core.testing.specimens import easy_patterns

Array = NDArray[np.float64]

#: Changes of the score difference that the steps aim at: kinks of a network spoil the large ones,
#: rounding the small ones, so the best of them counts.
_CHANGES = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003)
#: Allowed between derivatives and differences, as a share of either; kinks and rounding cost 0.2.
_TOLERANCE = 0.35
#: Steps for feature maps, in units of the pattern's standard deviation.
_STEPS = (0.1, 0.03, 0.01, 0.003)
#: Cosine between the changes of the scores and those that feature maps and their gradients predict,
#: from which on the scores are said to follow the maps: with six random directions, chance gives it
#: once in a thousand times.
_FOLLOWS = 0.95


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
            if "exact" not in subject.cache:
                made: Classifier = subject.make(precision="float32", **barely_trained(subject))
                made.fit(easy_patterns(0), easy_patterns(100), seed=SEED)
                subject.cache["exact"] = made
            found: Classifier = subject.cache["exact"]
            return found
    return classifier


def _numbers(value: Any, what: str) -> Array:
    """Return an array that a classifier gave, in double precision; it must hold finite floats."""
    name = type(value).__name__
    require(isinstance(value, np.ndarray), f"{what} came as {name}, not as a NumPy array")
    require(
        np.issubdtype(value.dtype, np.floating), f"{what} are {value.dtype}, not floating point"
    )
    require(np.isfinite(value).all(), f"{what} have a value that is NaN or infinite")
    return np.asarray(value, dtype=np.float64)


def _gradients(classifier: Any, patterns: Any, targets: Any, *, guided: bool = False) -> Array:
    found = classifier.input_gradients(patterns, targets, guided=guided)
    found = _numbers(found, "the gradients")
    require(
        found.shape == patterns.shape,
        f"patterns of {patterns.shape} gave gradients of {found.shape}",
    )
    return found


def _maps(classifier: Any, patterns: Any, targets: Any) -> tuple[Array, Array]:
    pair = classifier.feature_maps(patterns, targets)
    require(
        isinstance(pair, tuple) and len(pair) == 2,
        f"feature_maps gave {type(pair).__name__}, not the pair (maps, gradients)",
    )
    maps = _numbers(pair[0], "the feature maps")
    gradients = _numbers(pair[1], "the gradients of the feature maps")
    require(
        maps.ndim == 4 and len(maps) == len(patterns),
        f"patterns of {patterns.shape} gave maps of {maps.shape}, not (B, c, h, w)",
    )
    require(gradients.shape == maps.shape, f"maps {maps.shape}, gradients {gradients.shape}")
    return maps, gradients


def gradients_have_the_patterns_shape(subject: Subject) -> None:
    """Gradients, if it offers them, are finite and of the patterns' shape, guided or not."""
    classifier = _having(subject, SupportsGradients, "input_gradients")
    for guided in (False, True):
        _gradients(classifier, _patterns(), np.arange(4), guided=guided)


def gradients_are_those_of_the_scores(subject: Subject) -> None:
    """Gradients, if it offers them, agree with finite differences of the scores."""
    classifier: Any = _exact(subject, _having(subject, SupportsGradients, "input_gradients"))
    pattern = _patterns()[:1]
    first, second = np.argsort(classifier.predict_proba(pattern)[0])[:-3:-1]
    try:
        one, other = (_gradients(classifier, pattern, np.array([c])) for c in (first, second))
    except CheckFailed as fault:
        raise CheckSkipped(f"there is nothing to compare: {fault.what}") from None
    slope = (one - other)[0]
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
    steps = np.array(_CHANGES) / typical
    moved = pattern + np.concatenate([steps, -steps])[:, None, None] * direction
    up, down = np.split(_odds(classifier, moved.astype(pattern.dtype), pair), 2)
    return float(np.abs((up - down) / (2 * steps) - np.sum(slope * direction)).min())


def _odds(classifier: Classifier, patterns: Any, pair: tuple[int, int]) -> Array:
    """Return the difference of the scores of two classes for each pattern."""
    logs = np.log(np.maximum(classifier.predict_proba(patterns), 1e-300))
    return np.asarray(logs[:, pair[0]] - logs[:, pair[1]], dtype=np.float64)


def feature_maps_have_gradients_of_their_shape(subject: Subject) -> None:
    """Feature maps, if it offers them, are (B, c, h, w), finite, with gradients of that shape."""
    classifier = _having(subject, SupportsFeatureMaps, "feature_maps")
    _maps(classifier, _patterns(), np.arange(4))


def feature_maps_change_as_the_scores(subject: Subject) -> None:
    """Changes of the feature maps, times their gradients, are the changes of the scores."""
    classifier: Any = _exact(subject, _having(subject, SupportsFeatureMaps, "feature_maps"))
    pattern = _patterns()[:1]
    first, second = np.argsort(classifier.predict_proba(pattern)[0])[:-3:-1]
    rng = np.random.default_rng(2)
    directions = rng.choice([-1.0, 1.0], size=(6, *pattern.shape[1:])) * pattern.std()
    steps = np.array(_STEPS)
    around = np.concatenate([steps, -steps])[None, :, None, None] * directions[:, None]
    moved = (pattern + around.reshape(-1, *pattern.shape[1:])).astype(pattern.dtype)
    try:
        one, other = (_maps(classifier, pattern, np.array([c]))[1] for c in (first, second))
        maps, _ = _maps(classifier, moved, np.full(len(moved), first))
    except CheckFailed as fault:
        raise CheckSkipped(f"there is nothing to compare: {fault.what}") from None
    predicted = np.einsum("bchw,chw->b", maps, (one - other)[0]).reshape(6, 2, -1)
    observed = _odds(classifier, moved, (first, second)).reshape(6, 2, -1)
    said, seen = ((v[:, 0] - v[:, 1]) / (2 * steps) for v in (predicted, observed))
    best = np.abs(said - seen).argmin(axis=1)[:, None]
    said, seen = (np.take_along_axis(v, best, axis=1)[:, 0] for v in (said, seen))
    lengths = float(np.linalg.norm(said)), float(np.linalg.norm(seen))
    require(lengths[0] > 0, "the gradients of two classes are the same, or the maps never change")
    alike = float(said @ seen) / (lengths[0] * lengths[1] or 1.0)
    if abs(alike) < _FOLLOWS:
        raise CheckSkipped(
            "the scores do not follow this stage alone: other layers pass it by, or its "
            "gradients are wrong; which, cannot be told from outside"
        )
    ratio = float(said @ seen) / lengths[0] ** 2
    require(
        abs(ratio - 1) <= _TOLERANCE,
        f"the scores change {ratio:.3g} times as much as the maps and their gradients say",
        "feature_maps gives d score[target] / d maps, of the score before the softmax.",
    )


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
    Check("classifier.feature-maps-change-as-the-scores", feature_maps_change_as_the_scores),
    Check("classifier.region-holds-all-that-is-read", region_holds_all_that_is_read),
    Check("classifier.randomised-knows-nothing", randomised_knows_nothing),
)

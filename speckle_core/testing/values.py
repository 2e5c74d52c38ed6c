"""What a classifier is held to that can learn a value in place of a class."""

# ruff: noqa: D401 - a check's docstring is its requirement, shown to users

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from speckle_core.contracts.capabilities import SupportsGradients, SupportsValues
from speckle_core.contracts.patterns import PatternSet
from speckle_core.testing.check import Check, CheckSkipped, Subject, require
from speckle_core.testing.classifier import SEED
from speckle_core.testing.specimens import easy_patterns

#: Values are in units of their own.
_SCALE, _OFFSET = 30.0, 100.0
#: Least correlation with the true values of eight easy training patterns.
_CORRELATION = 0.7
_TOLERANCE = 0.35


def _with_values(seed: int) -> PatternSet:
    patterns = easy_patterns(seed)
    return patterns.with_values(_OFFSET + _SCALE * patterns.labels)


def _learned(subject: Subject) -> Any:
    """Return a classifier that has learned values, shared by the checks of one run."""
    if "values" not in subject.cache:
        fewer = subject.lower_options(epochs=40, batch_size=4)
        made = subject.make(**{k: v for k, v in fewer.items() if k not in subject.options})
        if not isinstance(made, SupportsValues):
            raise CheckSkipped("it does not offer predict_values, which is optional")
        made.fit(_with_values(0), _with_values(100), seed=SEED)  # type: ignore[attr-defined]
        subject.cache["values"] = made
    return subject.cache["values"]


def _patterns() -> Any:
    return easy_patterns(0).batch(range(8))[0]


def values_are_learned(subject: Subject) -> None:
    """Values, if it offers them, are learned of eight easy patterns, each with its spread."""
    classifier = _learned(subject)
    found = np.asarray(classifier.predict_values(_patterns()))
    require(found.shape == (8, 2), f"8 patterns gave values and spreads of shape {found.shape}")
    require(np.isfinite(found).all(), "a value or a spread is NaN or infinite")
    require((found[:, 1] > 0).all(), "a spread is not positive")
    truth = np.asarray(_with_values(0).values)
    alike = float(np.corrcoef(found[:, 0], truth)[0, 1]) if np.ptp(found[:, 0]) else 0.0
    require(
        alike >= _CORRELATION,
        f"after training, the values correlate by {alike:.2f} with the true ones",
        "If it needs more than 40 epochs, pass the option epochs.",
    )
    alone = np.concatenate([classifier.predict_values(_patterns()[i : i + 1]) for i in (0, 5)])
    off = np.abs(alone - found[[0, 5]]).max()
    require(off <= 1e-3 * _SCALE, f"one pattern alone has a value that differs by {off:.2g}")


def values_are_saved(subject: Subject) -> None:
    """A classifier of values, if it offers them, reads the same after save and load."""
    classifier = _learned(subject)
    fewer = subject.lower_options(epochs=40, batch_size=4)
    other = subject.make(**{k: v for k, v in fewer.items() if k not in subject.options})
    with tempfile.TemporaryDirectory() as scratch:
        classifier.save(Path(scratch))
        other.load(Path(scratch))
    off = np.abs(other.predict_values(_patterns()) - classifier.predict_values(_patterns())).max()
    require(off <= 1e-4 * _SCALE, f"the values differ by {off:.2g}")
    require(not len(np.asarray(other.classes)), "a classifier of values still has classes")


def gradients_are_those_of_the_value(subject: Subject) -> None:
    """Gradients, if it offers values and gradients, agree with differences of the value."""
    classifier = _learned(subject)
    if not isinstance(classifier, SupportsGradients):
        raise CheckSkipped("it does not offer input_gradients, which is optional")
    pattern = _patterns()[:1]
    targets = np.zeros(1, dtype=np.int64)
    slope = np.asarray(classifier.input_gradients(pattern, targets), dtype=np.float64)[0]
    size = float(np.sqrt(np.sum(slope**2)))
    require(size > 0, "the gradient of the value is 0 everywhere")
    steps = np.array([1.0, 0.3, 0.1, 0.03, 0.01]) * _SCALE / size
    moved = pattern + np.concatenate([steps, -steps])[:, None, None] * slope / size
    values = classifier.predict_values(moved.astype(pattern.dtype))  # type: ignore[attr-defined]
    up, down = np.split(np.asarray(values)[:, 0], 2)
    missed = float(np.abs((up - down) / (2 * steps) / size - 1).min())
    require(
        missed <= _TOLERANCE,
        f"finite differences of the value miss the gradient by {missed:.0%}",
        "input_gradients gives d value / d pattern for column 0.",
    )


CHECKS = (
    Check("classifier.values-are-learned", values_are_learned),
    Check("classifier.values-are-saved", values_are_saved),
    Check("classifier.gradients-are-those-of-the-value", gradients_are_those_of_the_value),
)

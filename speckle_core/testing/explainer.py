"""Checks of explainers, on a small network that has every optional capability."""

# ruff: noqa: D401 - a check's docstring is its requirement, shown to users

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core.contracts.arrays import FloatArray, IntArray
from speckle_core.errors import PluginError
from speckle_core.testing.check import Check, CheckFailed, CheckSkipped, Subject, require
from speckle_core.testing.specimens import PredictionsOnly, TinyNetwork, easy_patterns

_TARGETS = np.array([0, 1, 2, 0])


def _patterns() -> FloatArray:
    return easy_patterns(0).batch(range(4))[0]


def _maps(
    subject: Subject, network: TinyNetwork, patterns: FloatArray, targets: IntArray
) -> NDArray[np.generic]:
    """Return the maps; skip if the explainer needs a capability that the network lacks."""
    try:
        return np.asarray(subject.make().explain(network, patterns, targets))
    except PluginError as error:
        raise CheckSkipped(f"the kit's network is not supported: {error.what}") from error


def _network() -> TinyNetwork:
    return TinyNetwork.from_seed(0)


def shape(subject: Subject) -> None:
    """There is one real map per pattern, of the pattern's shape."""
    patterns = _patterns()
    found = _maps(subject, _network(), patterns, _TARGETS)
    require(found.shape == patterns.shape, f"patterns of {patterns.shape} gave {found.shape}")
    require(np.issubdtype(found.dtype, np.floating), f"maps are {found.dtype}, not floating")


def finite(subject: Subject) -> None:
    """No map contains NaN or infinity, even for a uniform pattern."""
    patterns = _patterns()
    patterns[0] = 0
    found = _maps(subject, _network(), patterns, _TARGETS)
    require(np.isfinite(found).all(), "a map contains NaN or infinity")


def model_unchanged(subject: Subject) -> None:
    """The classifier is left unchanged."""
    network = _network()
    before = [np.copy(a) for a in attrs.astuple(network)]
    _maps(subject, network, _patterns(), _TARGETS)
    same = all(np.array_equal(a, b) for a, b in zip(before, attrs.astuple(network), strict=True))
    require(same, "the network's weights have changed")


def input_unchanged(subject: Subject) -> None:
    """Patterns and targets are left unchanged."""
    patterns, targets = _patterns(), _TARGETS.copy()
    _maps(subject, _network(), patterns, targets)
    require(np.array_equal(patterns, _patterns()), "the input patterns have changed")
    require(np.array_equal(targets, _TARGETS), "the input targets have changed")


def depends_on_the_target(subject: Subject) -> None:
    """Explaining another class gives another map."""
    first, second = (
        _maps(subject, _network(), _patterns(), np.full(4, target)) for target in (0, 1)
    )
    require(not np.allclose(first, second), "two classes have the same maps")


def depends_on_the_model(subject: Subject) -> None:
    """A network with other weights gives another map; otherwise it shows only the pattern."""
    first, second = (
        _maps(subject, TinyNetwork.from_seed(seed), _patterns(), _TARGETS) for seed in (0, 1)
    )
    require(not np.allclose(first, second), "two networks have the same maps")


def alone_is_as_in_a_batch(subject: Subject) -> None:
    """The map of a pattern does not depend on the rest of the batch."""
    patterns = np.concatenate([_patterns()] * 10)
    targets = np.concatenate([_TARGETS] * 10)
    together = _maps(subject, _network(), patterns, targets)
    for i in (0, 3, 38):
        alone = _maps(subject, _network(), patterns[i : i + 1], targets[i : i + 1])
        size = np.abs(together[i]).max()
        require(
            np.allclose(alone[0], together[i], rtol=1e-4, atol=1e-4 * size),
            f"pattern {i} has another map alone than in a batch",
        )


def refuses_clearly(subject: Subject) -> None:
    """A classifier that can only predict is explained, or rejected with a PluginError."""
    patterns = _patterns()
    try:
        subject.make().explain(PredictionsOnly(), patterns, _TARGETS)
    except PluginError:
        return
    except Exception as error:
        raise CheckFailed(
            f"it failed with {type(error).__name__}: {error}",
            hint="Raise PluginError with the explainer, the classifier and what is missing.",
        ) from error


CHECKS = (
    Check("explainer.shape", shape),
    Check("explainer.finite", finite),
    Check("explainer.model-unchanged", model_unchanged),
    Check("explainer.input-unchanged", input_unchanged),
    Check("explainer.depends-on-the-target", depends_on_the_target),
    Check("explainer.depends-on-the-model", depends_on_the_model),
    Check("explainer.alone-is-as-in-a-batch", alone_is_as_in_a_batch),
    Check("explainer.refuses-clearly", refuses_clearly),
)

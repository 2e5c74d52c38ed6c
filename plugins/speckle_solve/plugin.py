"""The plugin hook; it must not import anything heavy."""

from __future__ import annotations

from collections.abc import Iterable

from speckle_core import Component, hookimpl


@hookimpl
def speckle_solvers() -> Iterable[Component]:
    """Return the solver."""
    yield Component(
        "patterson",
        "speckle_solve.solver:Patterson",
        "Every body of a pattern, by Patterson superposition, refinement and completion.",
        reference="M. J. Buerger, Vector Space (1959); G. M. Sheldrick, SHELXS",
    )


@hookimpl
def speckle_classifiers() -> Iterable[Component]:
    """Return the count of what the solver finds, to stand beside networks and rules."""
    yield Component(
        "solve",
        "speckle_solve.classifier:Solve",
        "The number of bodies that the solver finds, without any training.",
        reference="see the solver patterson",
    )

"""Checks, the subjects they run on, and their results.

A check is a plain function that returns, or raises `CheckFailed` or `CheckSkipped`.
"""

from __future__ import annotations

import unittest
from collections.abc import Callable, Mapping
from typing import Any, Literal

import attrs

from speckle_core.errors import MissingDependencyError, SpeckleError
from speckle_core.plugins.component import Component, check_options, options_of
from speckle_core.plugins.records import missing

Outcome = Literal["passed", "failed", "skipped", "expected-failure", "unexpected-pass"]
Factory = Component | Callable[..., Any]


class CheckFailed(SpeckleError, AssertionError):  # noqa: N818 - an outcome, in words
    """A component does not fulfil a requirement of its role."""


class CheckSkipped(SpeckleError, unittest.SkipTest):  # noqa: N818 - as above
    """A check does not apply to this component; pytest shows it as skipped."""


@attrs.define(eq=False)
class Subject:
    """What checks run on: a component that can be created repeatedly with the caller's options.

    Parameters
    ----------
    component : Component or callable
        The component as registered by a plugin, or its class.
    options : mapping
        Options to create it with; all others have their defaults.
    """

    component: Factory
    options: Mapping[str, Any] = attrs.field(factory=dict)
    #: Results shared by the checks of one run, so that a network is trained only once.
    cache: dict[str, Any] = attrs.field(factory=dict, init=False)

    @property
    def factory(self) -> Callable[..., Any]:
        """The class; imported if it was given as a path."""
        return self.component.resolve() if isinstance(self.component, Component) else self.component

    @property
    def name(self) -> str:
        """Its name in messages."""
        if isinstance(self.component, Component):
            return self.component.name
        return getattr(self.component, "__qualname__", repr(self.component))

    def make(self, **others: Any) -> Any:
        """Create a component with the options, overridden by `others`.

        Raises
        ------
        MissingDependencyError
            When a package that the component requires is not installed.
        OptionError
            For an unknown option or a value of the wrong type.
        """
        if isinstance(self.component, Component) and (absent := missing(self.component)):
            raise MissingDependencyError(
                f"{self.name!r} needs {' and '.join(absent)}, which is not installed",
                hint="Install it to check the component.",
            )
        return self.factory(
            **check_options(self.factory, {**self.options, **others}, f"options of {self.name}")
        )

    def lower_options(self, **limits: int) -> dict[str, int]:
        """Return those `limits` that are options of the component and below its current values."""
        found = {}
        for option in options_of(self.factory):
            value = self.options.get(option.name, option.default)
            if option.name in limits and isinstance(value, int) and value > limits[option.name]:
                found[option.name] = limits[option.name]
        return found


@attrs.frozen
class Check:
    """One requirement of a role.

    Parameters
    ----------
    id : str
        Stable name, such as ``sampler.no-overlap``.
    function : callable
        Takes a `Subject`; returns, or raises `CheckFailed` or `CheckSkipped`.
    """

    id: str
    function: Callable[[Subject], None] = attrs.field(repr=False)

    def __str__(self) -> str:
        """Return the id, so that ``ids=str`` names pytest's cases."""
        return self.id

    @property
    def demand(self) -> str:
        """The requirement, in one line."""
        return (self.function.__doc__ or "").strip().partition("\n")[0]

    def run(self, subject: Subject | Factory, *, options: Mapping[str, Any] | None = None) -> None:
        """Run the check on a component, its class, or a subject; return if it passes.

        Parameters
        ----------
        subject : Component, callable or Subject
            What to check.
        options : mapping, optional
            Options to create it with; ignored for a `Subject`, which has its own.

        Raises
        ------
        CheckFailed
            When the requirement is not met. Exceptions of the component itself are passed on.
        CheckSkipped
            When the check does not apply to this component.
        """
        if not isinstance(subject, Subject):
            subject = Subject(subject, options or {})
        try:
            self.function(subject)
        except (CheckFailed, CheckSkipped) as found:
            found.where = f"{self.id}, {subject.name}"
            found.hint = found.hint or (self.demand if isinstance(found, CheckFailed) else None)
            raise


@attrs.frozen
class CheckResult:
    """Result of one check; `message` gives the reason unless it passed."""

    id: str
    outcome: Outcome
    message: str
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether the check passed, was skipped, or failed as expected."""
        return self.outcome in ("passed", "skipped", "expected-failure")


def require(condition: object, what: str, hint: str | None = None) -> None:
    """Raise `CheckFailed` with `what` unless `condition` is true."""
    if not condition:
        raise CheckFailed(what, hint=hint)

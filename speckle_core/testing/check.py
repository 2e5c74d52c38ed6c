"""What a check is, what it is run on, and what comes of it.

A check is a plain function that returns, or raises `CheckFailed` or `CheckSkipped`. Nothing here
imports pytest, and nothing knows a role.
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
    """A component does not do what its role demands."""


class CheckSkipped(SpeckleError, unittest.SkipTest):  # noqa: N818 - as above
    """A check says nothing about this component; pytest shows it as skipped."""


@attrs.define(eq=False)
class Subject:
    """What checks are run on: a component that can be made anew, with the caller's options.

    Parameters
    ----------
    component : Component or callable
        The component as a plugin lists it, or its class.
    options : mapping
        Options that it is made with; those left out have their defaults.
    """

    component: Factory
    options: Mapping[str, Any] = attrs.field(factory=dict)
    #: What checks of one run share, so that a network is trained once and not for each.
    kept: dict[str, Any] = attrs.field(factory=dict, init=False)

    @property
    def factory(self) -> Callable[..., Any]:
        """The class, imported if it was given as a path."""
        return self.component.resolve() if isinstance(self.component, Component) else self.component

    @property
    def name(self) -> str:
        """What messages call it."""
        if isinstance(self.component, Component):
            return self.component.name
        return getattr(self.component, "__qualname__", repr(self.component))

    def make(self, **others: Any) -> Any:
        """Return a new component made with the options, and with `others` in their place.

        Raises
        ------
        MissingDependencyError
            When a package that the component requires is not installed.
        OptionError
            When it has no such option, or of another type.
        """
        if isinstance(self.component, Component) and (lacking := missing(self.component)):
            raise MissingDependencyError(
                f"{self.name!r} needs {' and '.join(lacking)}, which is not installed",
                hint="Install it to check the component.",
            )
        return self.factory(
            **check_options(self.factory, {**self.options, **others}, f"options of {self.name}")
        )

    def lowered(self, **limits: int) -> dict[str, int]:
        """Return those of `limits` that are options here and below the value it would have."""
        found = {}
        for option in options_of(self.factory):
            value = self.options.get(option.name, option.default)
            if option.name in limits and isinstance(value, int) and value > limits[option.name]:
                found[option.name] = limits[option.name]
        return found


@attrs.frozen
class Check:
    """One demand that a role makes.

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
        """What is demanded, in one line."""
        return (self.function.__doc__ or "").strip().partition("\n")[0]

    def run(self, subject: Subject | Factory, *, options: Mapping[str, Any] | None = None) -> None:
        """Run the check on a component, its class, or a subject; return if it holds.

        Parameters
        ----------
        subject : Component, callable or Subject
            What to check.
        options : mapping, optional
            Options to make it with; a `Subject` brings its own.

        Raises
        ------
        CheckFailed
            When the component does not do as demanded. What the component itself raises comes
            through as it is.
        CheckSkipped
            When the check says nothing about this component.
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
    """What came of one check; `message` says why, unless it passed."""

    id: str
    outcome: Outcome
    message: str
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether this is as it should be: passed, skipped, or failed as expected."""
        return self.outcome in ("passed", "skipped", "expected-failure")


def require(holds: object, what: str, hint: str | None = None) -> None:
    """Raise `CheckFailed` with `what` unless `holds`."""
    if not holds:
        raise CheckFailed(what, hint=hint)

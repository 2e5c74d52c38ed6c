"""Checks of every component, whatever its role."""

# ruff: noqa: D401 - a check's docstring is its requirement, shown to users

from __future__ import annotations

import inspect
import sys
import typing
from typing import Any

from speckle_core.contracts.roles import Role
from speckle_core.errors import OptionError, SpeckleError
from speckle_core.plugins.component import Component, Option, options_of
from speckle_core.plugins.discovery import installed
from speckle_core.testing.check import Check, CheckFailed, CheckSkipped, Subject, require
from speckle_core.testing.fresh import ask, place_of

#: How the framework calls each role: method → positional and keyword arguments.
_CALLS: dict[Role, dict[str, tuple[int, tuple[str, ...]]]] = {
    "sampler": {"sample": (2, ())},
    "scatterer": {"amplitude": (2, ()), "intensity": (2, ())},
    "preprocessor": {"__call__": (2, ())},
    "classifier": {
        "fit": (2, ("seed", "on_epoch")),
        "predict_proba": (1, ()),
        "save": (1, ()),
        "load": (1, ()),
    },
    "explainer": {"explain": (3, ())},
    "solver": {"solve": (2, ("mask", "seed"))},
    "reader": {"matches": (1, ()), "read": (1, ("dataset", "frames_axis"))},
    "detector": {"record": (3, ())},
}
_MISSING = object()


def constructible_with_defaults(subject: Subject) -> None:
    """The component can be created with the caller's options and defaults for all others."""
    needed = [o.name for o in options_of(subject.factory) if o.default is Option.required]
    absent = [name for name in needed if name not in subject.options]
    require(not absent, f"the options {', '.join(absent)} have no default")
    subject.make()


def options_explicit(subject: Subject) -> None:
    """Every option is keyword-only and has a type and a default of that type."""
    for option in options_of(subject.factory):
        require(option.type is not Any, f"the option {option.name!r} has no type hint")
        if option.default is not Option.required:
            try:
                option.check(option.default, option.name)
            except OptionError as error:
                raise CheckFailed(
                    f"the default {option.default!r} of {option.name!r} is not {option.type_name}"
                ) from error


def constructor_only_stores(subject: Subject) -> None:
    """Each option can be read back from the component under its own name."""
    for options in _variants(subject):
        component = subject.make(**options)
        for name, value in {**subject.options, **options}.items():
            found = getattr(component, name, _MISSING)
            require(found is not _MISSING, f"the option {name!r} cannot be read back")
            require(found == value, f"the option {name!r} was set to {value!r} but is {found!r}")


def repr_round_trips(subject: Subject) -> None:
    """Evaluating the repr in the class's module gives a component with the same options."""
    for options in _variants(subject):
        component = subject.make(**options)
        kind = type(component)
        names = {**vars(sys.modules[kind.__module__]), kind.__name__: kind}
        try:
            # eval is safe enough: the component's code runs here anyway.
            again = eval(repr(component), names)  # noqa: S307
        except Exception as error:
            raise CheckFailed(
                f"the repr {component!r} cannot be evaluated: {error}",
                hint="Use attrs, and attrs.field(init=False, repr=False) for learned state.",
            ) from error
        for option in options_of(subject.factory):
            before, after = getattr(component, option.name), getattr(again, option.name)
            require(before == after, f"{option.name!r} was {before!r}, after the repr {after!r}")


def _variants(subject: Subject) -> list[dict[str, Any]]:
    """Return sets of options: the given ones, and each other option changed if it is accepted."""
    found: list[dict[str, Any]] = [{}]
    for option in options_of(subject.factory):
        changed = _other(option)
        if option.name in subject.options or changed is None:
            continue
        try:
            subject.make(**{option.name: changed})
        except (SpeckleError, ValueError):
            continue
        found.append({option.name: changed})
    return found


def _other(option: Option) -> Any:
    """Return a plausible value that differs from the default, or None."""
    choices = [c for c in typing.get_args(option.type) if c != option.default]
    if typing.get_origin(option.type) is typing.Literal:
        return choices[0] if choices else None
    match option.default:
        case bool():
            return not option.default
        case int():
            return option.default + 2  # keeps an odd size odd
        case float():
            return option.default * 0.75 or 0.25
    return None


def listing_imports_nothing_heavy(subject: Subject) -> None:
    """Importing the plugin imports no framework, plotting or file library."""
    given = subject.component
    factory = given.factory if isinstance(given, Component) else given
    module = factory.partition(":")[0] if isinstance(factory, str) else factory.__module__
    package = module.partition(".")[0]
    # Other plugins of the same package are imported with it when plugins are listed.
    listing = {entry.module for entry in installed() if entry.module.partition(".")[0] == package}
    if not isinstance(factory, str) and (isinstance(given, Component) or not listing):
        listing.add(module)
    if not listing:
        raise CheckSkipped(f"no installed entry point belongs to {package}")
    heavy = ask("listing", places=[place_of(name) for name in sorted(listing)])["heavy"]
    require(
        not heavy,
        f"listing it imports {', '.join(heavy)}",
        "Give the factory as 'package.module:Class', or import inside the functions.",
    )


def _fills(role: Role) -> Check:
    def fills_its_role(subject: Subject) -> None:
        """The component has its role's methods, and they accept the framework's arguments."""
        component = subject.make()
        if role == "classifier":
            # Not hasattr: the property may raise before the classifier is fitted.
            found = inspect.getattr_static(component, "classes", _MISSING)
            require(found is not _MISSING, "it has no attribute 'classes'")
        for method, (positional, keywords) in _CALLS[role].items():
            call = getattr(component, method, None)
            require(callable(call), f"it has no method {method!r}")
            try:
                inspect.signature(typing.cast(Any, call)).bind(
                    *range(positional), **dict.fromkeys(keywords)
                )
            except TypeError as error:
                raise CheckFailed(
                    f"{method} cannot be called as the role requires: {error}"
                ) from error

    return Check("component.fills-its-role", fills_its_role)


def common_checks(role: Role) -> tuple[Check, ...]:
    """Return the checks of every component of `role`."""
    return (
        Check("component.constructible-with-defaults", constructible_with_defaults),
        _fills(role),
        Check("component.options-explicit", options_explicit),
        Check("component.constructor-only-stores", constructor_only_stores),
        Check("component.repr-round-trips", repr_round_trips),
        Check("component.listing-imports-nothing-heavy", listing_imports_nothing_heavy),
    )

"""`Component`: a plugin's description of one thing it provides, and the options of that thing.

A component is a name and a factory; the options are the factory's keyword-only constructor
parameters.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import math
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from speckle_core.errors import OptionError, PluginError, nearest, shorten

#: Spelling of component names and labels.
KEBAB = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
#: The keys of a component's table in a file that are not options.
RESERVED = ("name", "label")


def _check_name(_: Any, __: Any, value: Any) -> None:
    if not (isinstance(value, str) and KEBAB.fullmatch(value)):
        raise PluginError(
            f"{value!r} is not a valid component name", hint="Names are kebab-case: my-name."
        )


def _check_factory(_: Any, __: Any, value: Any) -> None:
    if isinstance(value, str):
        module, colon, attribute = value.partition(":")
        if not (module and colon and attribute):
            raise PluginError(f"factory {value!r} is not of the form 'package.module:Class'")
    elif not callable(value):
        raise PluginError(f"factory {value!r} is neither a class nor 'package.module:Class'")


def _as_names(value: Iterable[str]) -> tuple[str, ...]:
    # A bare `tuple` as a converter makes type checkers reject every value.
    return tuple(value)


@attrs.frozen
class Component:
    """One thing a plugin provides.

    Parameters
    ----------
    name : str
        The name that users select it by; kebab-case.
    factory : type or str
        The class, or ``"package.module:Class"``, imported on first use.
    summary : str
        One line for ``speckle plugins list``.
    requires : tuple of str
        Import names of the packages that the component needs to run.
    extra : str, optional
        The pip extra of its distribution that installs them.
    reference : str
        Source of the method: a paper, a DOI.
    """

    name: str = attrs.field(validator=_check_name)
    factory: Callable[..., Any] | str = attrs.field(validator=_check_factory)
    summary: str = attrs.field(validator=attrs.validators.instance_of(str))
    requires: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=_as_names)
    extra: str | None = attrs.field(default=None, kw_only=True)
    reference: str = attrs.field(default="", kw_only=True)

    def resolve(self) -> Callable[..., Any]:
        """Return the factory, importing it if it was given as a path."""
        if not isinstance(self.factory, str):
            return self.factory
        module, _, attribute = self.factory.partition(":")
        return typing.cast(Callable[..., Any], getattr(importlib.import_module(module), attribute))


@attrs.frozen
class Option:
    """One keyword-only constructor parameter; `default` is `Option.required` if there is none."""

    name: str
    type: Any
    default: Any

    required: typing.ClassVar[object] = object()

    @property
    def type_name(self) -> str:
        """The type in plain words, such as ``a number or none``."""
        return " or ".join(_spell(t) for t in reversed(_alternatives(self.type)))

    def check(self, value: Any, where: str) -> Any:
        """Return `value` as this option's type, or raise `OptionError` at `where`."""
        for kind in _alternatives(self.type):
            try:
                return _as(kind, value)
            except ValueError:
                continue
        if isinstance(value, float) and math.isfinite(value) and not _in_range(value):
            raise OptionError(
                f"{shorten(repr(value))} must lie between 1e-60 and 1e60 in size", where=where
            )
        near = [c for t in _alternatives(self.type) for c in nearest(value, typing.get_args(t))]
        raise OptionError(
            f"{shorten(repr(value))} is not {self.type_name}",
            where=where,
            hint=f"Did you mean {near[0]!r}?" if near else None,
        )


def _alternatives(kind: Any) -> tuple[Any, ...]:
    """Return the members of a union, None first, since its text "none" is also a valid str."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return tuple(sorted(typing.get_args(kind), key=lambda k: k is not type(None)))
    return (kind,)


_MANY = {float: "numbers", int: "whole numbers", str: "strings"}


def _spell(kind: Any) -> str:
    if typing.get_origin(kind) is typing.Literal:
        return " or ".join(repr(v) for v in typing.get_args(kind))
    names = {float: "a number", int: "a whole number", bool: "true or false", str: "a string"}
    if kind is type(None):
        return "none"
    if typing.get_origin(kind) in (tuple, list) and typing.get_args(kind)[0] in _MANY:
        return f"a list of {_MANY[typing.get_args(kind)[0]]}"
    return names.get(kind, str(kind).replace("typing.", ""))


def _as(kind: Any, value: Any) -> Any:
    """Return `value` if it is of `kind` as TOML types go: no bool as a number, no nan or inf."""
    origin = typing.get_origin(kind)
    if kind is Any:
        return value
    if origin is typing.Literal and any(
        value == known and type(value) is type(known) for known in typing.get_args(kind)
    ):
        return value
    if origin in (tuple, list) and isinstance(value, (list, tuple)):
        inner = typing.get_args(kind)[0]
        return origin(_as(inner, v) for v in value)
    if kind is type(None) and (value is None or value == "none"):
        return None
    if isinstance(value, bool):
        if kind is bool:
            return value
    elif kind is int and isinstance(value, int):
        return value
    elif kind is float and isinstance(value, (int, float)) and _in_range(value):
        return float(value)
    elif kind is str and isinstance(value, str):
        return value
    raise ValueError


def _in_range(value: float) -> bool:
    """Return whether a number is finite, and its fourth power too; nothing physical is beyond."""
    return value == 0 or 1e-60 <= abs(value) <= 1e60


@functools.cache
def options_of(factory: Callable[..., Any]) -> tuple[Option, ...]:
    """Return the options of a component's factory: its keyword-only constructor parameters.

    Raises
    ------
    PluginError
        For ``*args``, ``**kwargs``, a positional parameter, or one called as in `RESERVED`.
    """
    try:
        signature = inspect.signature(factory)
        hints = typing.get_type_hints(factory.__init__ if inspect.isclass(factory) else factory)
    except (TypeError, ValueError, NameError) as error:
        raise PluginError(f"the options of {factory!r} cannot be read: {error}") from error
    found = []
    for parameter in signature.parameters.values():
        if parameter.kind is not parameter.KEYWORD_ONLY:
            raise PluginError(
                f"parameter {str(parameter)!r} of {factory!r} is not keyword-only",
                hint="Name every option; with attrs: @attrs.frozen(kw_only=True).",
            )
        if parameter.name in RESERVED:
            raise PluginError(
                f"parameter {parameter.name!r} of {factory!r} cannot be set in a file, where the "
                "word has a meaning of its own",
                hint="Call it something else.",
            )
        default = Option.required if parameter.default is parameter.empty else parameter.default
        found.append(Option(parameter.name, hints.get(parameter.name, Any), default))
    return tuple(found)


def check_options(
    factory: Callable[..., Any], options: Mapping[str, Any], where: str
) -> dict[str, Any]:
    """Return `options` converted to the factory's types; `where` is their place in a file or call.

    Raises
    ------
    OptionError
        For an unknown option (with the nearest name), a wrong type, or a missing option.
    """
    known = {option.name: option for option in options_of(factory)}
    for name in options:
        if name not in known:
            near = nearest(name, known)
            raise OptionError(
                f"unknown option {name!r}",
                where=f"{where}.{name}",
                hint=(f"Did you mean {near[0]!r}? " if near else "")
                + (f"Options: {', '.join(known)}." if known else "It takes no options."),
            )
    for option in known.values():
        if option.default is Option.required and option.name not in options:
            raise OptionError(f"option {option.name!r} must be given", where=where)
    return {name: known[name].check(value, f"{where}.{name}") for name, value in options.items()}

"""Strict conversion between plain TOML values and attrs classes; errors name the path.

cattrs would silently turn True into 1 and 3.7 into 3, and TOML allows nan and inf; the hooks here
reject them.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

import attrs
import cattrs
from cattrs.errors import ForbiddenExtraKeysError

from speckle_core.errors import ExperimentError, OptionError, nearest, shorten
from speckle_core.experiment.plain import check_plain
from speckle_core.plugins.component import KEBAB, RESERVED, Option

T = TypeVar("T")


@attrs.frozen
class Choice:
    """A component chosen by name, with the options that differ from its defaults.

    A `label` distinguishes two uses of one component, such as Grad-CAM at two stages. It is used
    as a folder name and must be kebab-case.
    """

    name: str
    options: dict[str, Any] = attrs.field(factory=dict)
    label: str | None = attrs.field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.label is not None and not (
            isinstance(self.label, str) and KEBAB.fullmatch(self.label)
        ):
            raise ExperimentError(
                f"the label {self.label!r} is not valid", hint="Labels are kebab-case: my-label."
            )

    @property
    def key(self) -> str:
        """Its name in results and folders: the label, or else the name without a distribution."""
        return self.label or self.name.rpartition("/")[2]

    def to_dict(self) -> dict[str, Any]:
        """Return ``{name, label, option, …}`` as in a TOML table."""
        label = {"label": self.label} if self.label else {}
        return {"name": self.name} | label | {k: plain(v) for k, v in self.options.items()}


def reading_keys(classifier: str, baselines: Iterable[str]) -> tuple[str, ...]:
    """Return the names of the results of a classifier and of its baselines.

    A baseline with the classifier's own key gets a suffix, so that the names are distinct.
    """
    return (classifier, *(f"{b}-baseline" if b == classifier else b for b in baselines))


def check_distinct(choices: Iterable[Choice], keys: Iterable[str], where: str) -> None:
    """Raise `ExperimentError` if two components have the same key in results and folders."""
    seen: set[str] = set()
    for choice, key in zip(choices, keys, strict=True):
        if key in seen:
            raise ExperimentError(
                f"{key!r} occurs twice",
                where=where,
                hint=f'Give one a label: {{ name = "{choice.name}", label = "another-name", … }}.',
            )
        seen.add(key)


def plain(value: Any) -> Any:
    """Return `value` in TOML types: a tuple as a list, and None, which TOML lacks, as "none"."""
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return "none" if value is None else value


def _choice(value: Any, _: Any) -> Choice:
    if isinstance(value, str):
        return Choice(value)
    if isinstance(value, Mapping) and isinstance(value.get("name"), str):
        options = {k: v for k, v in value.items() if k not in RESERVED}
        return Choice(value["name"], options, label=value.get("label"))
    raise ValueError(
        f'{shorten(repr(value))} is not a component: write {{ name = "…", option = … }}'
    )


def _optional_choice(value: Any, _: Any) -> Choice | None:
    """Return a component, or None for "none", which a setting writes to take one away."""
    return None if value in (None, "none") else _choice(value, Choice)


def _strict(value: Any, kind: Any) -> Any:
    try:
        return Option("value", kind, Option.required).check(value, "")
    except OptionError as error:
        raise ValueError(f"{error.what}. {error.hint}" if error.hint else error.what) from None


def _tuple(value: Any, kind: Any) -> Any:
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"{shorten(repr(value))} is not a list")
    inner = typing.get_args(kind)[0]
    return tuple(converter.structure(v, inner) for v in value)


def _is_tuple(kind: Any) -> bool:
    return typing.get_origin(kind) is tuple


def _scalar(kind: Any) -> bool:
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return all(k is type(None) or _scalar(k) for k in typing.get_args(kind))
    return origin is typing.Literal or kind in (int, float, bool, str)


converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=True)
for _kind in (int, float, bool, str):
    converter.register_structure_hook(_kind, _strict)
converter.register_structure_hook_func(_scalar, _strict)
converter.register_structure_hook_func(_is_tuple, _tuple)
converter.register_structure_hook(Choice, _choice)
converter.register_structure_hook_func(lambda kind: kind == Choice | None, _optional_choice)
converter.register_unstructure_hook(Choice, Choice.to_dict)


def structure(
    data: Mapping[str, Any], kind: type[T], where: str, *, longest: int | None = None
) -> T:
    """Convert `data` to the attrs class `kind`; `where` is the file.

    With `longest`, lists may be of that length.

    Raises
    ------
    ExperimentError
        For the first fault, with its path, the allowed keys and the nearest spelling.
    """
    check_plain(data, where, **({"longest": longest} if longest else {}))
    try:
        return converter.structure(data, kind)
    except ExperimentError:
        raise
    except (cattrs.BaseValidationError, ForbiddenExtraKeysError) as group:
        faults = list(_leaves(group, ""))
        # Report an unknown key first: it often causes a missing one.
        path, error = min(faults, key=lambda f: not isinstance(f[1], ForbiddenExtraKeysError))
        raise _as_error(path, error, where) from None


def _leaves(error: BaseException, path: str) -> Iterator[tuple[str, BaseException]]:
    """Walk cattrs' exception groups; their notes name the attribute of each fault."""
    if not isinstance(error, BaseExceptionGroup):
        yield path, error
        return
    for inner in error.exceptions:
        here = path
        for note in getattr(inner, "__notes__", ()):
            if name := getattr(note, "name", None):
                here = f"{path}.{name}" if path else str(name)
        yield from _leaves(inner, here)


def _as_error(path: str, error: BaseException, where: str) -> ExperimentError:
    if isinstance(error, ExperimentError):
        return ExperimentError(error.what, where=f"{where}: {error.where or path}", hint=error.hint)
    if isinstance(error, ForbiddenExtraKeysError):
        known = [field.name for field in attrs.fields(error.cl)]
        key = sorted(error.extra_fields)[0]
        near = nearest(key, known)
        return ExperimentError(
            f"unknown key {shorten(repr(key))}",
            where=f"{where}: {path}.{key}" if path else f"{where}: {key}",
            hint=(f"Did you mean {near[0]!r}? " if near else "") + f"Keys: {', '.join(known)}.",
        )
    if isinstance(error, KeyError):
        return ExperimentError(
            f"{error.args[0]!r} is missing", where=f"{where}: {path}" if path else where
        )
    return ExperimentError(str(error), where=f"{where}: {path}" if path else where)


def override(data: dict[str, Any], key: str, value: Any) -> None:
    """Set the value at a dotted `key` in nested `data`.

    A number in the key selects an element of a list. A component given by its name alone becomes
    a table, so that its options can be set.

    Raises
    ------
    ExperimentError
        For a path through a value that has no keys.
    """
    path = key.split(".")
    here: Any = data
    for depth, part in enumerate(path):
        if isinstance(here, list) and part.isdecimal() and int(part) < len(here):
            index: Any = int(part)
        elif isinstance(here, dict) and part:
            index = part
        else:
            raise ExperimentError(
                "does not exist, so it cannot be set", where=".".join(path[: depth + 1])
            )
        if depth == len(path) - 1:
            here[index] = value
            return
        below = here.setdefault(index, {}) if isinstance(here, dict) else here[index]
        if isinstance(below, str):
            below = here[index] = {"name": below}
        here = below


def differences(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """Return where two nested plain values differ, as ``key (ours, not theirs)``."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        keys = sorted(ours.keys() | theirs.keys())
        return [
            found
            for key in keys
            for found in differences(
                ours.get(key), theirs.get(key), f"{path}.{key}" if path else key
            )
        ]
    return [] if ours == theirs else [f"{path} ({_spelled(ours)}, not {_spelled(theirs)})"]


def _spelled(value: Any) -> str:
    """Return a plain value as a TOML file has it, or nearly so, shortened."""
    if value is None:
        return "none"
    if isinstance(value, dict):
        return shorten("{" + ", ".join(f"{k} = {_spelled(v)}" for k, v in value.items()) + "}")
    return shorten(repr(value))


def without_none(value: Any) -> Any:
    """Return nested `value` without keys whose value is None."""
    if isinstance(value, dict):
        return {k: without_none(v) for k, v in value.items() if v is not None}
    return [without_none(v) for v in value] if isinstance(value, (list, tuple)) else value

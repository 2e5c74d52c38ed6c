"""What plugins may rely on, as text: one line each, so that a difference can be read.

Run as a script, it writes the file of the current API version, ``api-1.txt``. It refuses to break
what is written in one that is there, since that needs a new API version.
"""

from __future__ import annotations

import difflib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import numpy as np

import speckle_core
from speckle_core import testing
from speckle_core.contracts import capabilities, refinement, roles
from speckle_core.contracts import geometry as configuration
from speckle_core.errors import SpeckleError
from speckle_core.plugins import hookspecs

FOLDER = Path(__file__).parent
#: What every component of a role, and every shape, must have.
DEMANDED = ("Particles", *(role.capitalize() for role in roles.ROLES))
_MARKED = ("__call__", "__len__")
#: Passed between the framework and a plugin, so their members count and not their names alone.
PASSED = ("Component", "Configuration", "Epoch", "KGrid", "PatternSet", "Solution")


def surface() -> list[str]:
    """Return everything that is frozen."""
    return [
        f"API version {speckle_core.API_VERSION}",
        *_section("Entry points", [f"group {hookspecs.GROUP}", "SPECKLE_API in the plugin module"]),
        *_section("Hooks", [_called(getattr(hookspecs, h)) for h in hookspecs.HOOKS.values()]),
        *_section("Roles", list(roles.ROLES)),
        *_section("Protocols", _protocols()),
        *_section("What is passed between them", _passed()),
        *_section("Errors", _errors()),
        *_section("Names of speckle_core", sorted(speckle_core.__all__)),
        *_section("Names of speckle_core.testing", sorted(testing.__all__)),
        *_section("Checks of the conformance kit", _checks()),
    ]


def _section(title: str, lines: list[str]) -> list[str]:
    return ["", title, *(f"  {line}" for line in lines)]


class _Bare(str):
    """An annotation that is shown without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _called(function: Any, name: str = "") -> str:
    signature = inspect.signature(function)
    own = [
        p.replace(annotation=_Bare(p.annotation)) if isinstance(p.annotation, str) else p
        for p in signature.parameters.values()
        if p.name not in ("self", "cls")
    ]
    returned = signature.return_annotation
    shown = signature.replace(parameters=own, return_annotation=_Bare(returned))
    return f"{name or function.__name__}{shown}"


def _members(kind: type) -> Iterator[str]:
    for name, member in sorted(vars(kind).items()):
        if name.startswith("_") and name not in _MARKED:
            continue
        if isinstance(member, property):
            returned = inspect.signature(member.fget).return_annotation
            yield f"{kind.__name__}.{name}: {returned}"
        elif isinstance(member, classmethod):
            yield _called(member.__func__, f"{kind.__name__}.{name}")
        elif inspect.isfunction(member):
            yield _called(member, f"{kind.__name__}.{name}")


def _protocols() -> list[str]:
    found = [
        kind
        for module in (configuration, refinement, roles, capabilities)
        for kind in vars(module).values()
        if inspect.isclass(kind)
        and kind.__module__ == module.__name__
        and getattr(kind, "_is_protocol", False)
    ]
    return [line for kind in found for line in _members(kind)]


def _passed() -> list[str]:
    lines = []
    for name in PASSED:
        kind = getattr(speckle_core, name)
        lines += (
            [_field(name, kind, field) for field in attrs.fields(kind)] if attrs.has(kind) else []
        )
        lines += _members(kind)
    some = speckle_core.PatternSet.from_arrays(
        np.zeros((1, 1, 1)), [1], speckle_core.KGrid.quadrant(1, 1.0)
    )
    return lines + [f"PatternSet.{name}" for name in vars(some) if not name.startswith("_")]


def _field(owner: str, kind: type, field: attrs.Attribute[Any]) -> str:
    default = "" if field.default is attrs.NOTHING else f" = {field.default!r}"
    # As written: whatever resolves types, such as cattrs, changes `field.type` in place.
    written = next(
        c.__annotations__[field.name] for c in kind.__mro__ if field.name in c.__annotations__
    )
    return f"{owner}({field.name}: {written}{default}{', by keyword' * field.kw_only})"


def _errors() -> list[str]:
    kinds = [getattr(speckle_core, name) for name in speckle_core.__all__ if name.endswith("Error")]
    return sorted(
        f"{kind.__name__} is a {kind.__bases__[0].__name__}"
        for kind in kinds
        if issubclass(kind, SpeckleError)
    )


def _checks() -> list[str]:
    return [f"{role}: {check.id}" for role in roles.ROLES for check in testing.checks_for(role)]


def stored(version: int) -> Path:
    """Return the file that holds the surface of an API version."""
    return FOLDER / f"api-{version}.txt"


def differences(before: list[str], now: list[str]) -> tuple[list[str], list[str]]:
    """Return the lines that are gone, and those that came."""
    lines = list(difflib.ndiff(before, now))
    gone, new = ([line[2:].strip() for line in lines if line[:2] == sign] for sign in ("- ", "+ "))
    return gone, new


def breaks(before: list[str], now: list[str]) -> bool:
    """Return whether a plugin could go wrong by it: something went, or more is demanded."""
    gone, new = differences(before, now)
    # A role that was not there before asks nothing of the plugins that are.
    known = {line.strip().split(".")[0] for line in before if "." in line}
    demanded = known.intersection(DEMANDED)
    return bool(gone) or any(line.split(".")[0] in demanded for line in new)


def advice(before: list[str], now: list[str]) -> str:
    """Return what to do about the difference between two surfaces; empty when there is none."""
    gone, new = differences(before, now)
    if not gone and not new:
        return ""
    version = speckle_core.API_VERSION
    text = "".join(f"\n  - {line}" for line in gone) + "".join(f"\n  + {line}" for line in new)
    if breaks(before, now):
        return (
            f"What plugins of API {version} rely on is gone or has changed:{text}\n"
            "Put it back; or deprecate it first (docs/reference/stability.md),\n"
            "then raise API_VERSION in speckle_core/hookspecs.py and run: "
            "python tests/surface/surface.py"
        )
    return (
        f"Plugins can rely on more than before:{text}\n"
        "If that is meant, note it in CHANGELOG.md and run: python tests/surface/surface.py"
    )


def main() -> None:
    """Write the file of the current version, unless that would take something away."""
    path, now = stored(speckle_core.API_VERSION), surface()
    if path.exists():
        before = path.read_text("utf-8").splitlines()
        if breaks(before, now):
            sys.exit(
                f"{advice(before, now)}\n"
                f"(If API {speckle_core.API_VERSION} was never released: delete {path} first.)"
            )
    path.write_text("\n".join(now) + "\n", "utf-8")
    print(f"wrote {path}")


if __name__ == "__main__":
    main()

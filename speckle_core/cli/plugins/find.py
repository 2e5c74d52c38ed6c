"""Find components by name in all roles, and describe them."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from speckle_core.plugins.manager import PluginManager
    from speckle_core.plugins.records import Failure, Registered

Name = Annotated[
    str,
    typer.Argument(metavar="NAME", help="A component, as NAME or DISTRIBUTION/NAME."),
]


def all_components(
    manager: PluginManager,
) -> tuple[tuple[Registered, ...], tuple[Failure, ...]]:
    """Return all components and failed plugins, without warnings, since both are displayed."""
    from speckle_core.plugins.records import PluginWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PluginWarning)
        return manager.components(), manager.failures


def find(manager: PluginManager, name: str) -> list[Registered]:
    """Return every component of that name, from all roles and plugins.

    Raises
    ------
    PluginError
        When there is none; names the nearest ones, or the cause if a plugin of that name failed.
    """
    from speckle_core.errors import PluginError, UnknownComponentError, nearest

    known = manager.components()
    if found := [r for r in known if name in (r.component.name, r.qualified)]:
        return found
    for failure in manager.failures:
        if failure.provider.plugin == name:
            raise PluginError(f"was left out: {failure.cause}", where=str(failure.provider))
    near = nearest(name, (r.component.name for r in known))
    raise UnknownComponentError(
        f"no plugin provides a component {name!r}",
        hint=(f"Did you mean {' or '.join(map(repr, near))}? " if near else "")
        + "See speckle plugins list.",
    )


def describe(entry: Registered) -> dict[str, Any]:
    """Describe a component as plain values, without importing it."""
    from speckle_core.plugins.records import missing

    component, provider = entry.component, entry.provider
    return {
        "role": entry.role,
        "name": component.name,
        "qualified": entry.qualified,
        "summary": component.summary,
        "plugin": provider.plugin,
        "distribution": provider.distribution,
        "version": provider.version,
        "requires": list(component.requires),
        "missing": missing(component),
        "extra": component.extra,
        "reference": component.reference,
    }


def install_hint(entry: Registered) -> str:
    """Return what must be installed for a component to run, or an empty string."""
    from speckle_core.errors import MissingDependencyError
    from speckle_core.plugins.records import require

    try:
        require(entry)
    except MissingDependencyError as error:
        return f"{error.what}. {error.hint}"
    return ""

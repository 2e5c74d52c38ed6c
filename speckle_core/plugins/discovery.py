"""Where plugins are found, and what one of them says it offers.

pluggy alone would pass over a misspelt hook and let one raising hook stop the whole call, so the
hooks of each plugin are called, and their answers checked, one plugin at a time.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Iterator

import pluggy

from speckle_core.contracts.roles import ROLES
from speckle_core.errors import PluginError, nearest
from speckle_core.plugins import hookspecs
from speckle_core.plugins.component import Component, options_of
from speckle_core.plugins.records import Provider, Registered

_ROLES = {hookspecs.HOOKS[role]: role for role in ROLES}


def installed() -> Iterable[importlib.metadata.EntryPoint]:
    """Return the entry points of the group ``speckle.plugins``, none of them imported."""
    return importlib.metadata.entry_points(group=hookspecs.GROUP)


def provider_of(entry: importlib.metadata.EntryPoint) -> Provider:
    """Return which distribution, of which version, an entry point came with."""
    if entry.dist is None:
        return Provider(entry.name, "unknown", "?")
    return Provider(entry.name, entry.dist.name, entry.dist.version)


def components_of(
    manager: pluggy.PluginManager, plugin: object, provider: Provider
) -> Iterator[Registered]:
    """Yield the components that a plugin registered with `manager` describes.

    Raises
    ------
    PluginError
        For no hook at all, a misspelt hook, or one that returns something else than components.
    """
    callers = manager.get_hookcallers(plugin) or []
    if not callers:
        raise PluginError(
            "implements no hook", hint=f"Mark one of {', '.join(hookspecs.HOOKS.values())}."
        )
    for caller in callers:
        if caller.name not in _ROLES:
            near = nearest(caller.name, _ROLES)
            raise PluginError(
                f"there is no hook {caller.name!r}",
                hint=f"Did you mean {near[0]!r}?" if near else None,
            )
        for implementation in caller.get_hookimpls():
            if implementation.plugin is not plugin:
                continue
            given = implementation.function()
            if isinstance(given, (str, Component)) or not isinstance(given, Iterable):
                raise PluginError(f"{caller.name} returned {given!r}, no list of Component")
            for component in given:
                if not isinstance(component, Component):
                    raise PluginError(f"{caller.name} gave {component!r}, which is no Component")
                if not isinstance(component.factory, str):
                    options_of(component.factory)
                yield Registered(_ROLES[caller.name], component, provider)

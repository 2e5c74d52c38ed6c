"""Find plugins, and collect the components that each of them provides.

pluggy alone would ignore a misspelt hook, and one raising hook would stop the whole call. So the
hooks are called, and their results checked, one plugin at a time.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import os
import pathlib
import traceback
from collections.abc import Iterable, Iterator
from types import TracebackType

import pluggy

from speckle_core._version import __version__
from speckle_core.contracts.roles import ROLES
from speckle_core.errors import PluginError, nearest, printable
from speckle_core.plugins import hookspecs
from speckle_core.plugins.component import Component, options_of
from speckle_core.plugins.isolation import cause_of
from speckle_core.plugins.records import Failure, Provider, Registered

#: Names of the plugins to load, separated by commas; unset: all.
ALLOW = "SPECKLE_PLUGINS"
_LARGEST = 2**20
_ROLES = {hookspecs.HOOKS[role]: role for role in ROLES}


def allowed() -> frozenset[str] | None:
    """Return the names of the plugins that the environment allows; None if it allows all."""
    names = os.environ.get(ALLOW)
    if names is None:
        return None
    return frozenset(name.strip() for name in names.split(",") if name.strip())


def installed() -> list[importlib.metadata.EntryPoint]:
    """Return the entry points of the group ``speckle.plugins`` without importing them."""
    return scan()[0]


def scan() -> tuple[list[importlib.metadata.EntryPoint], list[Failure]]:
    """Return the entry points of our group, and the distributions whose own cannot be read.

    ``importlib.metadata.entry_points`` fails as a whole when one distribution, of whatever kind, is
    damaged.
    """
    found: list[importlib.metadata.EntryPoint] = []
    damaged: list[Failure] = []
    seen: set[str] = set()
    for dist in importlib.metadata.distributions():
        folder = str(getattr(dist, "_path", ""))
        # As everywhere, what comes first on the path hides what comes later.
        name = folder.rpartition("/")[2].partition("-")[0].lower()
        if name and name in seen:
            continue
        seen.add(name)
        try:
            _check_regular(folder)
            text = dist.read_text("entry_points.txt")
            if text and hookspecs.GROUP in text:
                found += [e for e in dist.entry_points if e.group == hookspecs.GROUP]
        except Exception as error:
            cause = f"its entry_points.txt cannot be read: {cause_of(error)}"
            damaged.append(Failure(Provider("?", printable(name, 100) or "unknown", "?"), cause))
    return found, damaged


def _check_regular(folder: str) -> None:
    """Raise `OSError` for entry points that are a pipe, which would wait, or without an end."""
    path = pathlib.Path(folder) / "entry_points.txt"
    if path.exists() and (not path.is_file() or path.stat().st_size > _LARGEST):
        raise OSError("it is not a small regular file")


def provider_of(entry: importlib.metadata.EntryPoint) -> Provider:
    """Return the distribution and version that an entry point belongs to."""
    if entry.dist is None:
        return Provider(entry.name, "unknown", "?")
    name, version = _name_and_version(entry.dist)
    folder = str(getattr(entry.dist, "_path", "")).rpartition("/")[2]
    return Provider(
        printable(entry.name, 100),
        printable(str(name or folder.partition("-")[0] or "unknown"), 100),
        printable(str(version or "?"), 100),
    )


# A distribution with many plugins is one object, whose METADATA take milliseconds to parse.
@functools.lru_cache(maxsize=64)
def _name_and_version(dist: importlib.metadata.Distribution) -> tuple[str, str]:
    with contextlib.suppress(Exception):  # its METADATA may be damaged
        metadata = dist.metadata
        return metadata["Name"], metadata["Version"]
    return "", ""


def components_of(
    manager: pluggy.PluginManager, plugin: object, provider: Provider
) -> Iterator[Registered]:
    """Iterate over the components of a plugin that is registered with `manager`.

    Raises
    ------
    PluginError
        When there is no hook, or a hook is misspelt or does not return components.
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
                f"unknown hook {caller.name!r}",
                hint=f"Did you mean {near[0]!r}?" if near else None,
            )
        for implementation in caller.get_hookimpls():
            if implementation.plugin is not plugin:
                continue
            given = implementation.function()
            if isinstance(given, (str, Component)) or not isinstance(given, Iterable):
                raise PluginError(f"{caller.name} returned {given!r}, not a list of Component")
            for component in given:
                if not isinstance(component, Component):
                    raise PluginError(
                        f"{caller.name} returned {component!r}, which is not a Component"
                    )
                if not isinstance(component.factory, str):
                    options_of(component.factory)
                yield Registered(_ROLES[caller.name], component, provider)


def owner_of(trace: TracebackType | None) -> str:
    """Return the distribution, ours or a plugin's, that owns the innermost frame of `trace`."""
    ours = f"speckle-core {__version__}"
    owners = {"speckle_core": ours}
    for entry in installed():
        if entry.dist is not None:
            provider = provider_of(entry)
            owners[entry.module.partition(".")[0]] = f"{provider.distribution} {provider.version}"
    packages = [
        str(frame.f_globals.get("__name__", "")).partition(".")[0]
        for frame, _ in traceback.walk_tb(trace)
    ]
    return next((owners[name] for name in reversed(packages) if name in owners), ours)

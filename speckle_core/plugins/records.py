"""Who offers what: the records that the plugin manager keeps, and what a component still lacks.

Nothing here is imported from a plugin or looked up; these are plain values, to be listed and
printed.
"""

from __future__ import annotations

import importlib.util

import attrs

from speckle_core.contracts.roles import Role
from speckle_core.errors import MissingDependencyError
from speckle_core.plugins.component import Component


class PluginWarning(UserWarning):
    """A plugin is broken and was left out."""


@attrs.frozen
class Provider:
    """Who offers something: the plugin, and the distribution and version it came with."""

    plugin: str
    distribution: str
    version: str

    def __str__(self) -> str:
        """Return it as ``distribution==version (plugin name)``."""
        return f"{self.distribution}=={self.version} (plugin {self.plugin})"


@attrs.frozen
class Failure:
    """A plugin that was left out, and why."""

    provider: Provider
    cause: str


@attrs.frozen
class Registered:
    """A component with the role it fills and who provides it."""

    role: Role
    component: Component
    provider: Provider

    @property
    def qualified(self) -> str:
        """The spelling ``distribution/name`` that is never ambiguous."""
        return f"{self.provider.distribution}/{self.component.name}"


def missing(component: Component) -> list[str]:
    """Return the packages that `component` requires and that are not installed."""
    return [name for name in component.requires if importlib.util.find_spec(name) is None]


def require(entry: Registered) -> None:
    """Raise `MissingDependencyError`, with the line to install it, if a package is missing."""
    if lacking := missing(entry.component):
        extra, distribution = entry.component.extra, entry.provider.distribution
        what = f"'{distribution}[{extra}]'" if extra else " ".join(lacking)
        raise MissingDependencyError(
            f"the {entry.role} {entry.component.name!r} needs {' and '.join(lacking)}, "
            "which is not installed",
            hint=f"Run: pip install {what}",
        )

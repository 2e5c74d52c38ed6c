"""The plugin manager's records, and the check for missing dependencies of a component."""

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
    """A plugin, and the distribution and version it belongs to."""

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
    """Return the packages that `component` requires but that are not installed."""
    return [name for name in component.requires if importlib.util.find_spec(name) is None]


def require(entry: Registered) -> None:
    """Raise `MissingDependencyError`, with the install command, if a package is missing."""
    if absent := missing(entry.component):
        extra, distribution = entry.component.extra, entry.provider.distribution
        what = f"'{distribution}[{extra}]'" if extra else " ".join(absent)
        raise MissingDependencyError(
            f"the {entry.role} {entry.component.name!r} needs {' and '.join(absent)}, "
            f"which {'is' if len(absent) == 1 else 'are'} not installed",
            hint=f"Run: pip install {what}",
        )

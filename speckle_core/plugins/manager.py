"""Find plugins, isolate broken ones, and create components by name.

Plugins are imported when components are first requested, and a component's own module when it is
first created. A faulty plugin is recorded as a `Failure` and left out; all others work. A name
clash is reported, never resolved silently.
"""

from __future__ import annotations

import functools
import importlib.metadata
import threading
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pluggy

from speckle_core.contracts.roles import ROLES, Role
from speckle_core.errors import PluginError, UnknownComponentError
from speckle_core.plugins import discovery, hookspecs
from speckle_core.plugins.choice import choose
from speckle_core.plugins.component import check_options, options_of
from speckle_core.plugins.isolation import cause_of, isolated
from speckle_core.plugins.records import Failure, PluginWarning, Provider, Registered, require

_INLINE = "in-process"
EntryPoints = Callable[[], Iterable[importlib.metadata.EntryPoint]]


class PluginManager:
    """The components of all plugins that could be loaded.

    Parameters
    ----------
    entry_points : callable, optional
        Returns the entry points of plugins; by default the group ``speckle.plugins``.
    allow : collection of str, optional
        Load only plugins with these names; by default those in the environment variable
        ``SPECKLE_PLUGINS`` (comma-separated; empty allows none) or, if it is unset, all.
    """

    def __init__(
        self, *, entry_points: EntryPoints = discovery.installed, allow: Iterable[str] | None = None
    ) -> None:
        self._entry_points = entry_points
        self._allow = discovery.allowed() if allow is None else frozenset(allow)
        self._pluggy = pluggy.PluginManager(hookspecs.PROJECT)
        self._pluggy.add_hookspecs(hookspecs)
        self._registered: list[Registered] = []
        self._failures: list[Failure] = []
        self._discovered = False
        # Another thread waits until all plugins are found; a plugin that asks meanwhile does not.
        self._discovering = threading.RLock()

    @property
    def failures(self) -> tuple[Failure, ...]:
        """The plugins that were left out."""
        self._discover()
        return tuple(self._failures)

    def components(self, role: Role | None = None) -> tuple[Registered, ...]:
        """Return the components of one role, or of all, sorted by role and name."""
        self._discover()
        chosen = [r for r in self._registered if role in (None, r.role)]
        return tuple(
            sorted(chosen, key=lambda r: (ROLES.index(r.role), r.component.name, r.qualified))
        )

    def _discover(self) -> None:
        with self._discovering:
            if not self._discovered:
                self._discovered = True
                self._find_plugins()

    def _find_plugins(self) -> None:
        ours = self._entry_points is discovery.installed
        entries, damaged = discovery.scan() if ours else (self._entry_points(), [])
        for failure in damaged:
            self._leave_out(failure)
        found = {(e.name, e.value, discovery.provider_of(e)): e for e in entries}
        for (name, _, provider), entry in sorted(found.items(), key=lambda item: str(item[0])):
            if self._allow is not None and name not in self._allow:
                continue
            try:
                # What a plugin prints on import must not end up in --json output.
                with isolated():
                    plugin = entry.load()
                    self._add(plugin, provider)
            except Exception as error:
                self._fail(provider, error)
        for name in sorted((self._allow or frozenset()) - {name for name, _, _ in found}):
            self._fail(
                Provider(name, "?", "?"),
                PluginError(f"{discovery.ALLOW} names it, but it is not installed"),
            )

    def _fail(self, provider: Provider, error: BaseException) -> None:
        cause = cause_of(error)
        if isinstance(error, PluginError):
            cause = cause.partition(": ")[2]
        self._leave_out(Failure(provider, cause))

    def _leave_out(self, failure: Failure) -> None:
        self._failures.append(failure)
        text = f"{failure.provider} was left out: {failure.cause}"
        warnings.warn(text, PluginWarning, stacklevel=3)

    def register(self, plugin: object, name: str) -> None:
        """Register a plugin that is defined in this process, as in a notebook or a test.

        Raises
        ------
        PluginError
            When the plugin is broken; none of it is then registered.
        """
        self._discover()
        with self._discovering:
            self._add(plugin, Provider(name, _INLINE, "0"))

    def _add(self, plugin: object, provider: Provider) -> None:
        """Register `plugin` and its components, completely or not at all."""
        wants = getattr(plugin, "SPECKLE_API", hookspecs.API_VERSION)
        if wants != hookspecs.API_VERSION:
            raise PluginError(
                f"was made for plugin API {wants}; this speckle-core has {hookspecs.API_VERSION}",
                hint="Install a matching version of the plugin or of speckle-core.",
            )
        try:
            self._pluggy.register(plugin, name=f"{provider.distribution}:{provider.plugin}")
            found = list(discovery.components_of(self._pluggy, plugin, provider))
        except BaseException as error:
            # pluggy leaves a plugin with a wrong hook signature half registered.
            if self._pluggy.is_registered(plugin):
                self._pluggy.unregister(plugin)
            if isinstance(error, (pluggy.PluginValidationError, ValueError)):
                raise PluginError(str(error)) from error
            raise
        self._registered.extend(found)

    def find(self, role: Role, name: str) -> Registered:
        """Return the component called `name`, or ``distribution/name``, in `role`.

        Raises
        ------
        UnknownComponentError, AmbiguousComponentError
            The message says what to write instead.
        """
        return choose(role, name, self.components(role), self._failures)

    def factory(self, role: Role, name: str) -> Callable[..., Any]:
        """Import and return the class of a component.

        Raises
        ------
        PluginError
            When its module cannot be imported or does not contain it.
        """
        entry = self.find(role, name)
        try:
            with isolated():
                factory = entry.component.resolve()
            options_of(factory)
        except PluginError:
            raise
        except Exception as error:
            raise PluginError(
                f"the {role} {name!r} cannot be loaded: {cause_of(error)}",
                where=str(entry.provider),
                hint="This is a bug in that plugin; please report it to its authors.",
            ) from error
        return factory

    def create(
        self,
        role: Role,
        name: str,
        options: Mapping[str, Any] | None = None,
        *,
        where: str | None = None,
    ) -> Any:
        """Create a component with `options`; `where` is their place in a file.

        Raises
        ------
        MissingDependencyError
            When a package that the component requires is not installed.
        OptionError
            For an unknown option or a value of the wrong type.
        """
        factory = self.factory(role, name)
        checked = check_options(factory, options or {}, where or name)
        require(self.find(role, name))
        return factory(**checked)

    def recipe(self, role: Role, thing: object) -> dict[str, Any]:
        """Return the name and options from which `create` would make `thing`.

        Raises
        ------
        UnknownComponentError
            When no plugin provides that class.
        """
        kind: Any = type(thing)
        path = f"{kind.__module__}:{kind.__qualname__}"
        for entry in self.components(role):
            if entry.component.factory in (kind, path):
                same = [
                    r for r in self.components(role) if r.component.name == entry.component.name
                ]
                name = entry.component.name if len(same) == 1 else entry.qualified
                return {"name": name} | {o.name: getattr(thing, o.name) for o in options_of(kind)}
        raise UnknownComponentError(
            f"no plugin provides {kind.__qualname__} as a {role}, so a file cannot refer to it",
            hint="Register it: plugin_manager().register(plugin, name).",
        )


@functools.cache
def plugin_manager() -> PluginManager:
    """Return the plugin manager of this process, created on first use."""
    return PluginManager()


def create(role: Role, name: str, **options: Any) -> Any:
    """Create a component by its role and name, with options as keywords.

    Raises
    ------
    PluginError
        When there is no such component, or a package that it requires is not installed.
    OptionError
        For an unknown option or a value of the wrong type.

    Examples
    --------
    >>> import numpy as np
    >>> from speckle_core import KGrid, create
    >>> sampler = create("sampler", "monodisperse", radius=90.0)
    >>> configuration = sampler.sample(10, np.random.default_rng(0))
    >>> len(configuration)
    10
    >>> scatterer = create("scatterer", "analytic")
    >>> scatterer.intensity(configuration, KGrid.centered(65, np.pi / 2000)).shape
    (65, 65)
    """
    return plugin_manager().create(role, name, options)

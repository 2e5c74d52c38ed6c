"""Shapes by name: whatever a plugin's `Particles` class offers to be refined."""

from __future__ import annotations

import importlib

from speckle_core import OptionError, RefinableShape, SupportsRefinement, plugin_manager

_NAMED = {"disks": "speckle_disks.disks:Disks", "spheres": "speckle_disks.spheres:Spheres"}


def shape_named(name: str) -> RefinableShape:
    """Return the shape of that name, or of the class at ``module:Class``.

    Only packages that brought a plugin are imported, since a name may come from somebody's file.

    Raises
    ------
    OptionError
        When there is none, or its class does not offer `SupportsRefinement`.
    """
    module, colon, attribute = _NAMED.get(name, name).partition(":")
    where = f"shape {name!r}"
    if not (colon and module.partition(".")[0] in _packages()):
        raise OptionError(
            f"is neither {' nor '.join(map(repr, _NAMED))} nor 'module:Class' of an installed "
            "plugin",
            where=where,
        )
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise OptionError(f"cannot be imported: {error}", where=where) from error
    if not isinstance(found, SupportsRefinement):
        raise OptionError(
            "does not say how its bodies are refined",
            where=where,
            hint="Give the class a method refinement(); see SupportsRefinement.",
        )
    return found.refinement()


def _packages() -> set[str]:
    """Return the top-level packages of all components that plugins offer."""
    factories = (entry.component.factory for entry in plugin_manager().components())
    modules = (f if isinstance(f, str) else f.__module__ for f in factories)
    return {module.partition(".")[0].partition(":")[0] for module in modules}

"""Software versions behind a result: the core, the libraries and each plugin used."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterable
from typing import TYPE_CHECKING

from speckle_core._version import __version__
from speckle_core.plugins.manager import PluginManager, plugin_manager
from speckle_core.plugins.records import Registered

if TYPE_CHECKING:
    from speckle_core.experiment.experiment import Experiment

#: Distributions whose version can change a result.
LIBRARIES = ("numpy", "scipy", "h5py", "scikit-learn", "torch", "keras", "tensorflow")


def version_of(distribution: str) -> str | None:
    """Return the installed version of a distribution, or None."""
    try:
        return importlib.metadata.version(distribution)
    except Exception:  # not installed, or its own record is damaged
        return None


def versions(
    experiment: Experiment | None = None,
    *,
    manager: PluginManager | None = None,
    libraries: Iterable[str] = LIBRARIES,
) -> dict[str, str]:
    """Return the versions of all software that affects a result of `experiment`, by name.

    These are Python and the machine, the core, the installed numerical libraries and, as
    ``plugin NAME``, the distribution and version of each chosen component.
    """
    found = {
        "speckle-core": __version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
    }
    for name in libraries:
        # TensorFlow has two distribution names.
        version = version_of(name) or version_of(f"{name}-cpu")
        if version:
            found[name] = version
    if experiment is not None:
        manager = manager or plugin_manager()
        for _, role, choice in experiment.choices():
            found |= versions_behind(manager.find(role, choice.name))
    return found


def versions_behind(entry: Registered) -> dict[str, str]:
    """Return the versions behind one component: its plugin, and what else it simulates with."""
    provider = entry.provider
    found = {f"plugin {provider.plugin}": f"{provider.distribution} {provider.version}"}
    if entry.role in ("sampler", "scatterer", "detector"):
        for package in entry.component.requires:
            if version := version_of(package):
                found[package] = version
    return found

"""Which software made a result: versions of the core, of the libraries and of each plugin used."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterable
from typing import TYPE_CHECKING

from speckle_core._version import __version__
from speckle_core.plugins.manager import PluginManager, plugin_manager

if TYPE_CHECKING:
    from speckle_core.experiment.experiment import Experiment

#: Distributions whose version can change a number in a result.
LIBRARIES = ("numpy", "scipy", "h5py", "scikit-learn", "torch", "keras", "tensorflow")


def version_of(distribution: str) -> str | None:
    """Return the installed version of a distribution, or None."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def versions(
    experiment: Experiment | None = None,
    *,
    manager: PluginManager | None = None,
    libraries: Iterable[str] = LIBRARIES,
) -> dict[str, str]:
    """Return the version of everything that a result of `experiment` rests on, by name.

    Python and the machine, the core, the installed libraries that compute, and, as
    ``plugin NAME``, the distribution and version behind each chosen component.
    """
    found = {
        "speckle-core": __version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
    }
    for name in libraries:
        # TensorFlow is one import under two distributions.
        version = version_of(name) or version_of(f"{name}-cpu")
        if version:
            found[name] = version
    if experiment is not None:
        manager = manager or plugin_manager()
        for _, role, choice in experiment.choices():
            provider = manager.find(role, choice.name).provider
            found[f"plugin {provider.plugin}"] = f"{provider.distribution} {provider.version}"
    return found

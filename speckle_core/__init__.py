"""Machine learning on coherent X-ray speckle patterns, as plugins.

The public names, each imported on first use, so that ``import speckle_core`` costs nothing and brings in
no machine-learning framework and no matplotlib.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from speckle_core.components import Component
    from speckle_core.configuration import Configuration, Particles
    from speckle_core.dataset import Dataset
    from speckle_core.errors import (
        AmbiguousComponentError,
        DataError,
        ExperimentError,
        MissingDependencyError,
        ModelError,
        OptionError,
        OutputError,
        PackingError,
        PatternError,
        PluginError,
        SpeckleError,
        UnknownComponentError,
    )
    from speckle_core.evaluate import Evaluation, evaluate
    from speckle_core.experiment import Experiment
    from speckle_core.grid import KGrid
    from speckle_core.hookspecs import API_VERSION, hookimpl, hookspec
    from speckle_core.patterns import PatternSet
    from speckle_core.pipeline import Pipeline
    from speckle_core.plugins import PluginManager, create, plugin_manager
    from speckle_core.roles import (
        Classifier,
        Epoch,
        Explainer,
        Preprocessor,
        Sampler,
        Scatterer,
        SupportsCheckpoints,
        SupportsFeatureMaps,
        SupportsGradients,
        SupportsIntensities,
    )

__version__ = "0.1.0"

_HOME = {
    "components": ("Component",),
    "configuration": ("Configuration", "Particles"),
    "dataset": ("Dataset",),
    "errors": (
        "AmbiguousComponentError",
        "DataError",
        "ExperimentError",
        "MissingDependencyError",
        "ModelError",
        "OptionError",
        "OutputError",
        "PackingError",
        "PatternError",
        "PluginError",
        "SpeckleError",
        "UnknownComponentError",
    ),
    "evaluate": ("Evaluation", "evaluate"),
    "experiment": ("Experiment",),
    "grid": ("KGrid",),
    "hookspecs": ("API_VERSION", "hookimpl", "hookspec"),
    "patterns": ("PatternSet",),
    "pipeline": ("Pipeline",),
    "plugins": ("PluginManager", "create", "plugin_manager"),
    "roles": (
        "Classifier",
        "Epoch",
        "Explainer",
        "Preprocessor",
        "Sampler",
        "Scatterer",
        "SupportsCheckpoints",
        "SupportsFeatureMaps",
        "SupportsGradients",
        "SupportsIntensities",
    ),
}
_MODULE = {name: module for module, names in _HOME.items() for name in names}

__all__ = [  # noqa: PLE0604 - computed from the one table above
    "__version__",
    *_MODULE,
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # By name, not by import of the submodule: `evaluate` is both a module and a function.
    value = getattr(importlib.import_module(f"{__name__}.{_MODULE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

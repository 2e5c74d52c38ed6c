"""Machine learning on coherent X-ray speckle patterns, as plugins.

The public names, each imported on first use, so that ``import speckle_core`` costs nothing and
brings in no machine-learning framework and no matplotlib.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from speckle_core.components import (
        Component as Component,
    )
    from speckle_core.configuration import (
        Configuration as Configuration,
    )
    from speckle_core.configuration import (
        Particles as Particles,
    )
    from speckle_core.configuration import SupportsRadialFormFactors as SupportsRadialFormFactors
    from speckle_core.dataset import (
        Dataset as Dataset,
    )
    from speckle_core.errors import (
        AmbiguousComponentError as AmbiguousComponentError,
    )
    from speckle_core.errors import (
        DataError as DataError,
    )
    from speckle_core.errors import (
        ExperimentError as ExperimentError,
    )
    from speckle_core.errors import (
        MissingDependencyError as MissingDependencyError,
    )
    from speckle_core.errors import (
        ModelError as ModelError,
    )
    from speckle_core.errors import (
        OptionError as OptionError,
    )
    from speckle_core.errors import (
        OutputError as OutputError,
    )
    from speckle_core.errors import (
        PackingError as PackingError,
    )
    from speckle_core.errors import (
        PatternError as PatternError,
    )
    from speckle_core.errors import (
        PluginError as PluginError,
    )
    from speckle_core.errors import (
        SpeckleError as SpeckleError,
    )
    from speckle_core.errors import (
        UnknownComponentError as UnknownComponentError,
    )
    from speckle_core.evaluate import (
        Evaluation as Evaluation,
    )
    from speckle_core.experiment import (
        Experiment as Experiment,
    )
    from speckle_core.grid import (
        KGrid as KGrid,
    )
    from speckle_core.hookspecs import (
        API_VERSION as API_VERSION,
    )
    from speckle_core.hookspecs import (
        hookimpl as hookimpl,
    )
    from speckle_core.hookspecs import (
        hookspec as hookspec,
    )
    from speckle_core.patterns import (
        PatternSet as PatternSet,
    )
    from speckle_core.pipeline import (
        Pipeline as Pipeline,
    )
    from speckle_core.plugins import (
        PluginManager as PluginManager,
    )
    from speckle_core.plugins import (
        create as create,
    )
    from speckle_core.plugins import (
        plugin_manager as plugin_manager,
    )
    from speckle_core.roles import (
        Classifier as Classifier,
    )
    from speckle_core.roles import (
        Epoch as Epoch,
    )
    from speckle_core.roles import (
        Explainer as Explainer,
    )
    from speckle_core.roles import (
        Preprocessor as Preprocessor,
    )
    from speckle_core.roles import (
        Sampler as Sampler,
    )
    from speckle_core.roles import (
        Scatterer as Scatterer,
    )
    from speckle_core.roles import (
        SupportsCheckpoints as SupportsCheckpoints,
    )
    from speckle_core.roles import (
        SupportsFeatureMaps as SupportsFeatureMaps,
    )
    from speckle_core.roles import (
        SupportsGradients as SupportsGradients,
    )
    from speckle_core.roles import (
        SupportsIntensities as SupportsIntensities,
    )
    from speckle_core.roles import (
        SupportsRandomised as SupportsRandomised,
    )
    from speckle_core.roles import (
        SupportsRegion as SupportsRegion,
    )

__version__ = "0.1.0"

_HOME = {
    "components": ("Component",),
    "configuration": ("Configuration", "Particles", "SupportsRadialFormFactors"),
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
    "evaluate": ("Evaluation",),
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
        "SupportsRandomised",
        "SupportsRegion",
    ),
}
_MODULE = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "__version__",
    *_MODULE,
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

"""Machine learning on coherent X-ray speckle patterns, as plugins.

The public names, each imported on first use, so that ``import speckle_core`` costs nothing and
brings in no machine-learning framework and no matplotlib.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from speckle_core import _moved
from speckle_core._version import __version__ as __version__

if TYPE_CHECKING:
    from speckle_core.analysis.evaluation import Evaluation as Evaluation
    from speckle_core.analysis.first_moments import FirstMoments as FirstMoments
    from speckle_core.analysis.first_moments import first_moments as first_moments
    from speckle_core.contracts.arrays import ComplexArray as ComplexArray
    from speckle_core.contracts.arrays import FloatArray as FloatArray
    from speckle_core.contracts.arrays import IntArray as IntArray
    from speckle_core.contracts.capabilities import SupportsCheckpoints as SupportsCheckpoints
    from speckle_core.contracts.capabilities import SupportsFeatureMaps as SupportsFeatureMaps
    from speckle_core.contracts.capabilities import SupportsGradients as SupportsGradients
    from speckle_core.contracts.capabilities import SupportsMask as SupportsMask
    from speckle_core.contracts.capabilities import SupportsModes as SupportsModes
    from speckle_core.contracts.capabilities import SupportsOnnx as SupportsOnnx
    from speckle_core.contracts.capabilities import SupportsRandomised as SupportsRandomised
    from speckle_core.contracts.capabilities import SupportsRegion as SupportsRegion
    from speckle_core.contracts.capabilities import SupportsSample as SupportsSample
    from speckle_core.contracts.capabilities import SupportsSolver as SupportsSolver
    from speckle_core.contracts.capabilities import SupportsValues as SupportsValues
    from speckle_core.contracts.capabilities import SupportsWarmStart as SupportsWarmStart
    from speckle_core.contracts.frames import Frame as Frame
    from speckle_core.contracts.frames import Frames as Frames
    from speckle_core.contracts.frames import Geometry as Geometry
    from speckle_core.contracts.geometry import Configuration as Configuration
    from speckle_core.contracts.geometry import Particles as Particles
    from speckle_core.contracts.geometry import SupportsChords as SupportsChords
    from speckle_core.contracts.geometry import (
        SupportsRadialFormFactors as SupportsRadialFormFactors,
    )
    from speckle_core.contracts.grid import KGrid as KGrid
    from speckle_core.contracts.patterns import PatternSet as PatternSet
    from speckle_core.contracts.refinement import RefinableShape as RefinableShape
    from speckle_core.contracts.refinement import SupportsRefinement as SupportsRefinement
    from speckle_core.contracts.refinement import SupportsScaledProfile as SupportsScaledProfile
    from speckle_core.contracts.roles import Classifier as Classifier
    from speckle_core.contracts.roles import Detector as Detector
    from speckle_core.contracts.roles import Epoch as Epoch
    from speckle_core.contracts.roles import Explainer as Explainer
    from speckle_core.contracts.roles import OnEpoch as OnEpoch
    from speckle_core.contracts.roles import Preprocessor as Preprocessor
    from speckle_core.contracts.roles import Reader as Reader
    from speckle_core.contracts.roles import Sampler as Sampler
    from speckle_core.contracts.roles import Scatterer as Scatterer
    from speckle_core.contracts.roles import Solver as Solver
    from speckle_core.contracts.roles import SupportsIntensities as SupportsIntensities
    from speckle_core.contracts.solution import Solution as Solution
    from speckle_core.data.dataset import Dataset as Dataset
    from speckle_core.data.frame_options import FrameOptions as FrameOptions
    from speckle_core.data.frame_options import read_mask as read_mask
    from speckle_core.data.frames import open_frames as open_frames
    from speckle_core.data.imported import import_frames as import_frames
    from speckle_core.data.limits import check_npy as check_npy
    from speckle_core.data.limits import check_npy_head as check_npy_head
    from speckle_core.data.matlab_limits import check_matlab as check_matlab
    from speckle_core.data.reading import check_array as check_array
    from speckle_core.data.reading import check_hdf5 as check_hdf5
    from speckle_core.data.reading import find_hdf5 as find_hdf5
    from speckle_core.data.reading import list_hdf5 as list_hdf5
    from speckle_core.data.reading import open_hdf5 as open_hdf5
    from speckle_core.data.reading import read_hdf5_attribute as read_hdf5_attribute
    from speckle_core.data.reading import walk_hdf5 as walk_hdf5
    from speckle_core.data.tiff_limits import check_tiff_pages as check_tiff_pages
    from speckle_core.data.tiff_limits import list_tiff_pages as list_tiff_pages
    from speckle_core.errors import AmbiguousComponentError as AmbiguousComponentError
    from speckle_core.errors import DamageWarning as DamageWarning
    from speckle_core.errors import DataError as DataError
    from speckle_core.errors import ExperimentError as ExperimentError
    from speckle_core.errors import MissingDependencyError as MissingDependencyError
    from speckle_core.errors import ModelError as ModelError
    from speckle_core.errors import OptionError as OptionError
    from speckle_core.errors import OutputError as OutputError
    from speckle_core.errors import PackingError as PackingError
    from speckle_core.errors import PatternError as PatternError
    from speckle_core.errors import PluginError as PluginError
    from speckle_core.errors import SlowWarning as SlowWarning
    from speckle_core.errors import SpeckleError as SpeckleError
    from speckle_core.errors import SplitWarning as SplitWarning
    from speckle_core.errors import UnknownComponentError as UnknownComponentError
    from speckle_core.experiment.experiment import Experiment as Experiment
    from speckle_core.experiment.pipeline import Pipeline as Pipeline
    from speckle_core.files import check_safetensors as check_safetensors
    from speckle_core.files import make_folder as make_folder
    from speckle_core.files import sweep as sweep
    from speckle_core.files import write_bytes as write_bytes
    from speckle_core.files import write_text as write_text
    from speckle_core.models.answer import Answer as Answer
    from speckle_core.models.torchrun import team_size as team_size
    from speckle_core.models.trained import TrainedModel as TrainedModel
    from speckle_core.models.trained import load_data as load_data
    from speckle_core.models.trained import load_model as load_model
    from speckle_core.notes import read_json as read_json
    from speckle_core.notes import read_toml as read_toml
    from speckle_core.notes import write_json as write_json
    from speckle_core.plugins.component import Component as Component
    from speckle_core.plugins.hookspecs import API_VERSION as API_VERSION
    from speckle_core.plugins.hookspecs import hookimpl as hookimpl
    from speckle_core.plugins.hookspecs import hookspec as hookspec
    from speckle_core.plugins.manager import PluginManager as PluginManager
    from speckle_core.plugins.manager import create as create
    from speckle_core.plugins.manager import plugin_manager as plugin_manager
    from speckle_core.run import Run as Run
    from speckle_core.run import load_run as load_run

_HOME = {
    "analysis.evaluation": ("Evaluation",),
    "analysis.first_moments": (
        "FirstMoments",
        "first_moments",
    ),
    "contracts.arrays": (
        "ComplexArray",
        "FloatArray",
        "IntArray",
    ),
    "contracts.frames": (
        "Frame",
        "Frames",
        "Geometry",
    ),
    "contracts.geometry": (
        "Configuration",
        "Particles",
        "SupportsChords",
        "SupportsRadialFormFactors",
    ),
    "contracts.grid": ("KGrid",),
    "contracts.patterns": ("PatternSet",),
    "contracts.capabilities": (
        "SupportsCheckpoints",
        "SupportsFeatureMaps",
        "SupportsGradients",
        "SupportsMask",
        "SupportsModes",
        "SupportsOnnx",
        "SupportsRandomised",
        "SupportsRegion",
        "SupportsSample",
        "SupportsSolver",
        "SupportsValues",
        "SupportsWarmStart",
    ),
    "contracts.refinement": (
        "RefinableShape",
        "SupportsRefinement",
        "SupportsScaledProfile",
    ),
    "contracts.roles": (
        "Classifier",
        "Epoch",
        "Explainer",
        "OnEpoch",
        "Preprocessor",
        "Detector",
        "Reader",
        "Sampler",
        "Scatterer",
        "Solver",
        "SupportsIntensities",
    ),
    "contracts.solution": ("Solution",),
    "data.dataset": ("Dataset",),
    "data.limits": (
        "check_npy",
        "check_npy_head",
    ),
    "data.matlab_limits": ("check_matlab",),
    "data.tiff_limits": (
        "check_tiff_pages",
        "list_tiff_pages",
    ),
    "data.frames": ("open_frames",),
    "data.imported": ("import_frames",),
    "data.frame_options": ("FrameOptions", "read_mask"),
    "data.reading": (
        "check_array",
        "check_hdf5",
        "find_hdf5",
        "list_hdf5",
        "open_hdf5",
        "read_hdf5_attribute",
        "walk_hdf5",
    ),
    "errors": (
        "AmbiguousComponentError",
        "DamageWarning",
        "DataError",
        "ExperimentError",
        "MissingDependencyError",
        "ModelError",
        "OptionError",
        "OutputError",
        "PackingError",
        "PatternError",
        "PluginError",
        "SlowWarning",
        "SpeckleError",
        "SplitWarning",
        "UnknownComponentError",
    ),
    "experiment.experiment": ("Experiment",),
    "experiment.pipeline": ("Pipeline",),
    "files": (
        "check_safetensors",
        "make_folder",
        "sweep",
        "write_bytes",
        "write_text",
    ),
    "models.answer": ("Answer",),
    "models.torchrun": ("team_size",),
    "models.trained": (
        "TrainedModel",
        "load_data",
        "load_model",
    ),
    "notes": (
        "read_json",
        "read_toml",
        "write_json",
    ),
    "plugins.component": ("Component",),
    "plugins.hookspecs": (
        "API_VERSION",
        "hookimpl",
        "hookspec",
    ),
    "plugins.manager": (
        "PluginManager",
        "create",
        "plugin_manager",
    ),
    "run": (
        "Run",
        "load_run",
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


_moved.register()

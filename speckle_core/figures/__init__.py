"""The figures of a report or a paper: arrays in, a matplotlib `Figure` out.

Importing this package imports matplotlib, so whatever draws imports it inside the function that
draws; `speckle_core` itself never does. No function here uses pyplot, opens a window, reads a file,
or leaves a matplotlib setting changed.
"""

from speckle_core.figures.attribution import attribution_profiles, deletion
from speckle_core.figures.explanation import explanation_panel, map_page
from speckle_core.figures.k_space import gallery, pattern
from speckle_core.figures.real_space import real_space
from speckle_core.figures.reliability import reliability
from speckle_core.figures.results import accuracy_bars, confusion
from speckle_core.figures.solution import solution_panel
from speckle_core.figures.study import accuracy_curves
from speckle_core.figures.style import encode, raster, save
from speckle_core.figures.trends import azimuthal_profiles, first_moment, training_curves
from speckle_core.figures.values import value_scatter

__all__ = [
    "accuracy_bars",
    "accuracy_curves",
    "attribution_profiles",
    "azimuthal_profiles",
    "confusion",
    "deletion",
    "encode",
    "explanation_panel",
    "first_moment",
    "gallery",
    "map_page",
    "pattern",
    "raster",
    "real_space",
    "reliability",
    "save",
    "solution_panel",
    "training_curves",
    "value_scatter",
]

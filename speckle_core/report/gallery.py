"""Systems to show side by side in real and k space, like the paper's figure 2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs
import numpy as np

from speckle_core.analysis.beamstop import filled_rectangle, hidden_pixels
from speckle_core.contracts.arrays import FloatArray
from speckle_core.contracts.geometry import Configuration
from speckle_core.contracts.grid import KGrid
from speckle_core.experiment.components import SIMULATION
from speckle_core.experiment.experiment import Experiment

if TYPE_CHECKING:
    from speckle_core.data.dataset import Dataset

#: Number of systems in a gallery, as in the paper's figure 2.
SHOWN = 6


@attrs.frozen(eq=False)
class Gallery:
    """Systems to draw side by side.

    Parameters
    ----------
    items : sequence of (n, Configuration, array (ny, nx))
        Number of bodies, their configuration, and raw intensity [area²]; NaN behind a beamstop that
        is not a rectangle.
    grid : KGrid
        The grid of all patterns.
    blocked : pair of slices, optional
        The pixels [y, x] behind a rectangular beamstop.
    """

    items: Sequence[tuple[int, Configuration, FloatArray]]
    grid: KGrid
    blocked: tuple[slice, slice] | None


def gallery(experiment: Experiment, dataset: Dataset | None = None) -> Gallery:
    """Return up to six systems of `experiment`, spread over its classes.

    The configurations are those of the data set. Patterns are read from `dataset`, or simulated if
    it is None.

    Raises
    ------
    SpeckleError
        When a system cannot be drawn, or a pattern cannot be read.
    """
    pipeline = experiment.build(only=(*SIMULATION, "prepare"))
    counts = experiment.counts
    places = np.unique(np.linspace(0, len(counts) - 1, min(SHOWN, len(counts))).round().astype(int))
    drawn = [pipeline.draw(counts[at], 0, experiment.seed) for at in places]
    if dataset is None:
        patterns = pipeline.recorded(drawn, [(counts[at], 0) for at in places], experiment.seed)
    else:
        patterns = dataset.patterns().raw(places * experiment.structure.patterns_per_count)
    mask = hidden_pixels(pipeline.prepare, pipeline.grid)
    block = filled_rectangle(mask)
    if block is None:
        patterns = np.where(mask, np.float32(np.nan), patterns)
    items = [(counts[at], c, p) for at, c, p in zip(places, drawn, patterns, strict=True)]
    return Gallery(items, pipeline.grid, block)

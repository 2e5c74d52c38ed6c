"""Patterns of a set that stores particles and seed only: computed again when they are read."""

from __future__ import annotations

import functools

import numpy as np
import threadpoolctl
from numpy.typing import NDArray

from speckle_core.experiment.components import SIMULATION
from speckle_core.experiment.experiment import Experiment
from speckle_core.experiment.pipeline import Pipeline


class Recomputed:
    """``recomputed(index)`` -> pattern, float32 (ny, nx), and its valid pixels or None.

    Parameters
    ----------
    experiment : Experiment
        The resolved experiment of the set, whose components must be installed.
    """

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        self._labels = experiment.labels()

    @functools.cached_property
    def _pipeline(self) -> Pipeline:
        return self._experiment.build(only=SIMULATION)

    @functools.cached_property
    def _threads(self) -> threadpoolctl.ThreadpoolController:
        # Found once the scatterer has loaded its libraries.
        self._compute(0)
        return threadpoolctl.ThreadpoolController()

    def __call__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.bool_] | None]:
        """Compute one pattern as it was computed for the set, one by one and on one thread.

        Raises
        ------
        PackingError, PluginError
            From the sampler, the scatterer or the detector, or when one is not installed.
        """
        with self._threads.limit(limits=1):
            return self._compute(index)

    def _compute(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.bool_] | None]:
        number = index % self._experiment.structure.patterns_per_count
        place, seed = (int(self._labels[index]), number), self._experiment.seed
        drawn = self._pipeline.draw(*place, seed)
        recorded, valid = self._pipeline.record(self._pipeline.simulate([drawn]), [place], seed)
        return recorded[0], None if valid is None else valid[0]

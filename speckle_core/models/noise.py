"""How much photon noise a classifier stands, tried on validation patterns when it is trained.

Few photons show in the correlation of k and -k, about the best centre near the middle, so that an
unsteady centre is not taken for noise. The limit below which an answer means little is a property
of the classifier: one reads a tenth of the photons that another needs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from speckle_core.analysis.azimuthal import best_friedel_correlation
from speckle_core.contracts.arrays import FloatArray
from speckle_core.contracts.capabilities import SupportsSample
from speckle_core.contracts.patterns import PatternSet
from speckle_core.contracts.preparation import prepare
from speckle_core.contracts.roles import Classifier

#: Mean counts per pixel outside the inner eighth of the radius, from many to few.
_COUNTS = (100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.03)
#: Patterns tried; fewer than the least tell nothing.
_MOST, _FEWEST = 60, 20
#: Loss of accuracy that is borne.
_BORNE = 0.05


def limit(classifier: Classifier, valid: PatternSet) -> float | None:
    """Return the correlation of k and -k below which photon noise spoils the answers.

    Validation patterns are counted anew with ever fewer photons, until more answers become wrong
    than one in twenty. The limit lies between that correlation and the last before it, never above
    the least of the patterns as they are, none of which is to be called far.

    None where there are too few patterns or they take long to read, where -k is not on the grid,
    and where the answers stay right or were wrong to begin with.
    """
    if (
        len(valid) < _FEWEST
        or isinstance(classifier, SupportsSample)
        or valid.grid.layout != "centered"
    ):
        return None
    where = np.unique(np.linspace(0, len(valid) - 1, _MOST).astype(int))
    labels, measured, known = valid.labels[where], valid.measured(where), valid.valid(where)
    raw = valid.raw(where)

    def tried(patterns: FloatArray) -> tuple[float, NDArray[np.float64]]:
        prepared = prepare(patterns, valid.grid, valid.steps, valid=known)
        answers = np.asarray(classifier.predict_proba(prepared)).argmax(axis=1)
        kept = best_friedel_correlation(prepared, valid.grid, region=measured)
        return float(np.mean(np.asarray(classifier.classes)[answers] == labels)), kept

    clean, kept = tried(raw)
    least, last = float(np.nanmin(kept)), float(np.nanmedian(kept))
    if clean <= 0.5:
        return None
    for counts in _COUNTS:
        right, kept = tried(_counted(raw, valid, counts))
        now = float(np.nanmedian(kept))
        if right < clean - _BORNE:
            return min((now + last) / 2, least)
        last = now
    return None


def _counted(raw: FloatArray, valid: PatternSet, counts: float) -> FloatArray:
    """Return photon counts of patterns, so many a pixel on average outside of the middle."""
    outside = valid.grid.distance() > valid.grid.size / 16
    light = np.maximum(raw, 0).astype(np.float64)
    mean = light[:, outside].mean(axis=1)[:, None, None]
    drawn = np.random.default_rng(0).poisson(np.minimum(light / mean * counts, 1e9))
    return np.asarray(drawn, dtype=np.float32)

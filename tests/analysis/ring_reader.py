"""Classifiers that look at one ring, and patterns that differ there."""

import attrs
import numpy as np

from speckle_core import KGrid

GRID = KGrid.centered(41, 0.1)
RING = (GRID.distance() >= 9.5) & (GRID.distance() < 12.5)
LABELS = np.array([2, 5] * 20)
TARGETS = np.array([0, 1] * 20)


def rings(labels=LABELS, seed=0):
    """Exponential speckle; patterns of class 5 are five times brighter in the ring."""
    speckle = np.random.default_rng(seed).exponential(size=(len(labels), *GRID.shape))
    return np.where((labels == 5)[:, None, None] & RING, 5 * speckle, speckle) + 1.0


@attrs.define
class RingReader:
    """Looks at the mean over one ring and at nothing else: 5 where it is brighter than 3.5."""

    where: np.ndarray = attrs.field(factory=lambda: RING / RING.sum())
    seen: list = attrs.field(factory=list)
    classes = np.array([2, 5])

    def score(self, patterns):
        return np.sum(patterns * self.where, axis=(1, 2)) - 3.5

    def predict_proba(self, patterns):
        self.seen.append(len(patterns))
        five = 1 / (1 + np.exp(-self.score(patterns)))
        return np.stack([1 - five, five], axis=1)

    def randomised(self, *, seed):
        return RingReader(where=np.random.default_rng(seed).normal(size=GRID.shape))


class SpeckleReader(RingReader):
    """Looks at the contrast in the ring, so that only speckle tells it anything."""

    def score(self, patterns):
        return patterns[:, RING].std(axis=1) - 2


def maps_of_the_ring(count=40):
    return np.broadcast_to(RING * 1.0, (count, *GRID.shape))


CROP = np.zeros(GRID.shape, bool)
CROP[12:29, 12:29] = True


class CropReader(RingReader):
    """Looks at the ring where it lies in the central 17 × 17, and says so."""

    def region(self, shape):
        assert shape == GRID.shape
        return CROP

    def randomised(self, *, seed):
        return CropReader(where=CROP * super().randomised(seed=seed).where)


def crop_reader():
    inside = RING & CROP
    return CropReader(where=np.where(inside, 1 / inside.sum(), 0) + CROP * 1e-9)

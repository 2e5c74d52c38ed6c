"""Patterns whose truth the solver never sees."""

import numpy as np
import pytest

from speckle_core import Configuration
from speckle_disks.disks import Disks
from tests.plugins.speckle_solve.solve_cases import SAMPLERS, blocked


@pytest.fixture
def sample():
    """Return a function from set, n and seed to (configuration, pattern)."""

    def make(name, n, seed=0):
        truth = SAMPLERS[name].sample(n, np.random.default_rng(seed))
        return truth, blocked(truth)

    return make


@pytest.fixture
def pair():
    """Return a pattern of two disks that any solver finds at once, with its truth."""
    truth = Configuration(Disks([[700.0, 900.0], [1200.0, 1100.0]], [90.0, 60.0]), 2000.0)
    return truth, blocked(truth)

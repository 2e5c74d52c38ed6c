import numpy as np
import pytest

from speckle_core import KGrid, Pipeline

#: Half the k range of the presets: enough for up to five disks.
GRID = KGrid.centered(129, np.pi / 2000)


@pytest.fixture(scope="session")
def pipeline():
    return Pipeline(
        sampler="polydisperse",
        scatterer="analytic",
        grid=GRID,
        prepare=["block-center", "standardize"],
    )


@pytest.fixture(scope="session")
def patterns(pipeline):
    """Ten prepared patterns of each of n = 2 to 5."""
    return pipeline.pattern_set([2, 3, 4, 5], patterns_per_count=10, seed=5)

"""How much brighter a larger pattern is after standardization, for the discussion of figure 4."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from record import write_csv, write_json

from speckle_core.contracts.grid import KGrid
from speckle_core.data.dataset import Dataset
from speckle_core.errors import DataError

#: Size of the patterns that the network was trained on.
TRAINED = 257


def brightness(data: Path, output: Path, block: int) -> None:
    """Write the factor for each class of the data set `data`, of larger patterns, to `output`.

    A pixel far brighter than the mean is (I - mean) / sd after standardization, so in a larger view
    it is brighter by the factor sd(central 257²) / sd(all pixels).
    """
    with Dataset.open(data) as dataset:
        experiment, grid, labels = dataset.experiment, dataset.grid, dataset.labels
        if grid.size <= TRAINED:
            raise DataError(f"needs patterns larger than {TRAINED}²", where=str(data))
        patterns = dataset.patterns()
        factors = np.array([factor(patterns.raw(i)[0], grid, block) for i in range(len(labels))])
    means = {int(n): float(factors[labels == n].mean()) for n in np.unique(labels)}
    write_csv(output / "brightness.csv", ("n", "factor"), means.items())
    write_json(output / "brightness.json", experiment, block=block, trained_on=TRAINED)


def factor(pattern: NDArray[np.float32], grid: KGrid, block: int) -> float:
    """Return the ratio of standard deviations, central `TRAINED`² over all pixels."""
    intensity = pattern.astype(np.float64)
    intensity[grid.block(block)] = 0
    return float(intensity[grid.block(TRAINED)].std() / intensity.std())

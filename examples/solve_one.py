"""From one speckle pattern to the disks behind it, in a picture: the first of the README."""

import sys
from pathlib import Path

import numpy as np

from speckle_core import KGrid, create
from speckle_core.figures import save, solution_panel

grid = KGrid.centered(257, np.pi / 2000)
rng = np.random.default_rng(12)
truth = create("sampler", "polydisperse").sample(12, rng)
expected = create("scatterer", "analytic").intensity(truth, grid)

mask = np.ones(grid.shape, dtype=bool)  # True where a pixel counts
mask[grid.block(11)] = False  # a beamstop
photons = rng.poisson(expected * 1e7 / expected[mask].sum())

found = create("solver", "patterson").solve(photons, grid, mask=mask)
print(f"{len(found.configuration)} disks, solved: {found.claim}, R = {found.residual:.2g}")
picture = solution_panel(photons, found, grid, mask=mask, truth=truth)
save(picture, Path(sys.argv[1] if len(sys.argv) > 1 else "solved.png"))

"""
The same pattern with fewer and fewer photons
=============================================

A detector counts. With a thousand photons on the whole detector most pixels see none, and the speckle between
the bright rings is gone.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm

from speckle_core import KGrid, create

SIZE = 257
grid = KGrid.centered(SIZE, np.pi / 2000)
disks = create("sampler", "monodisperse").sample(10, np.random.default_rng(0))
intensity = create("scatterer", "analytic").intensity(disks, grid)

figure, axes = plt.subplots(1, 4, figsize=(12, 3.3), layout="constrained")
for place, photons in enumerate((1e3, 1e4, 1e5, 1e6)):
    detector = create("detector", "counting", photons=photons)
    counts, _ = detector.record(intensity, grid, np.random.default_rng(1))
    axes[place].set_facecolor("black")
    axes[place].imshow(counts, norm=LogNorm(1, counts.max() + 1), origin="lower")
    title = f"{counts.sum():,.0f} photons, {np.mean(counts == 0):.0%} of pixels empty"
    axes[place].set_title(title, fontsize=9)
    axes[place].set(xticks=[], yticks=[])
plt.show()

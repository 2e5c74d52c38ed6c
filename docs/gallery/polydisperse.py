"""
Disks of many sizes fill the dark rings
=======================================

Equal disks have a form factor with zeros, seen as dark rings. Where sizes differ, each disk has its own zeros,
and the rings fade: one reason why counting is harder.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm

from speckle_core import KGrid, Pipeline, create

SIZE = 257
grid = KGrid.centered(SIZE, np.pi / 2000)
distance = np.rint(grid.distance()).astype(int)

figure, axes = plt.subplots(1, 3, figsize=(11, 3.6), layout="constrained")
for place, dispersion in enumerate((0.0, 0.3)):
    sampler = create("sampler", "polydisperse", dispersion=dispersion)
    pipeline = Pipeline(sampler=sampler, scatterer="analytic", grid=grid)
    systems = [pipeline.draw(12, i, seed=2) for i in range(20)]
    patterns = pipeline.simulate(systems)
    most = patterns[0].max()
    axes[place].imshow(patterns[0], norm=LogNorm(most / 1e6, most), origin="lower")
    axes[place].set(
        xticks=[], yticks=[], title=f"12 disks, spread of radii {dispersion:g}"
    )
    mean = np.bincount(distance.ravel(), patterns.mean(axis=0).ravel())
    mean /= np.bincount(distance.ravel())
    inside = slice(1, SIZE // 2)
    axes[2].semilogy(mean[inside] / mean[1], label=f"spread {dispersion:g}")
axes[2].set(
    xlabel="distance from k = 0 [pixels]",
    ylabel="mean intensity",
    title="20 patterns each",
)
axes[2].legend()
plt.show()

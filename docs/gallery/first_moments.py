"""
The first moment tells the size of the disks
============================================

The paper's conventional analysis: the mean distance of the light from k = 0. With the total area kept, more
disks are smaller ones, which scatter wider; with one radius for all n the moment tells nothing of n.
"""

import matplotlib.pyplot as plt
import numpy as np

from speckle_core import KGrid, Pipeline, create, first_moments

SIZE = 129
PATTERNS = 12
grid = KGrid.centered(SIZE, np.pi / 2000)
counts = np.arange(2, 21, 2)

figure, axes = plt.subplots(figsize=(6, 4))
for radius, marker, name in ((None, "o", "constant area"), (60.0, "s", "radius 60")):
    sampler = create("sampler", "monodisperse", radius=radius)
    pipeline = Pipeline(sampler=sampler, scatterer="analytic", grid=grid)
    moments = []
    for n in counts:
        systems = [pipeline.draw(int(n), i, seed=1) for i in range(PATTERNS)]
        found = first_moments(pipeline.simulate(systems), grid, unit="k")
        moments.append((found.raw.mean(), found.raw.std()))
    mean, spread = np.transpose(moments)
    axes.errorbar(counts, mean, spread, fmt=f"{marker}-", capsize=3, label=name)
axes.set(
    xticks=counts,
    xlabel="number of disks n",
    ylabel="mean distance from k = 0 [1/length]",
)
axes.legend()
plt.show()

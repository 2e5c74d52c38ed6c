"""
How fine must a raster be? The FFT against the exact sum
========================================================

A disk drawn on pixels has a rough rim. The transform of that raster differs from the exact sum over the disks,
the more so the farther from k = 0, and most of all in the dark rings, where there is hardly any light to compare
with.
"""

import matplotlib.pyplot as plt
import numpy as np

from speckle_core import KGrid, create

SIZE = 129
RASTERS = (251, 501, 1001, 2001)
grid = KGrid.centered(SIZE, np.pi / 1000)
disks = create("sampler", "monodisperse").sample(8, np.random.default_rng(2))
exact = create("scatterer", "analytic").intensity(disks, grid)
distance = np.rint(grid.distance()).astype(int)
inside = slice(1, SIZE // 2)

figure, axes = plt.subplots(figsize=(6.4, 4))
ring = np.bincount(distance.ravel())
for pixels in RASTERS:
    raster = create("scatterer", "fft", pixels=pixels).intensity(disks, grid)
    wrong = np.bincount(distance.ravel(), ((raster - exact) ** 2).ravel()) / ring
    scale = np.bincount(distance.ravel(), (exact**2).ravel()) / ring
    error = np.sqrt(wrong / scale)
    print(f"{pixels} pixels: {np.median(error[inside]):.2g} in the median ring")
    pixel = disks.box / (pixels - 1)
    axes.semilogy(error[inside], label=f"{pixels} × {pixels}: pixels of {pixel:g}")
axes.set(xlabel="distance from k = 0 [pixels]", ylabel="relative error of a ring")
axes.legend(title="raster of the box")
plt.show()

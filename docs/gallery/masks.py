"""
Gaps, a beamstop, and what symmetry gives back
==============================================

A real sample without absorption scatters as much to -k as to k. What falls into a gap on one side is measured on
the other; only pixels that are hidden on both sides stay unknown.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm

from speckle_core import KGrid, create

SIZE = 257
grid = KGrid.centered(SIZE, np.pi / 2000)
disks = create("sampler", "monodisperse").sample(6, np.random.default_rng(4))
intensity = create("scatterer", "analytic").intensity(disks, grid)
detector = create(
    "detector", "counting", photons=1e7, gaps="modules", beamstop=8.0, arm=4.0
)
counts, measured = detector.record(intensity, grid, np.random.default_rng(1))

# k = 0 is the middle pixel, so -k is the picture turned about it.
opposite = counts[::-1, ::-1]
known = measured | measured[::-1, ::-1]
completed = np.where(measured, counts, opposite)

figure, axes = plt.subplots(1, 3, figsize=(11, 3.9), layout="constrained")
shown = (
    ("measured", np.where(measured, counts, np.nan)),
    ("completed from -k", np.where(known, completed, np.nan)),
    ("true intensity", intensity * counts.sum() / intensity[measured].sum()),
)
for place, (title, values) in zip(axes, shown, strict=True):
    place.set_facecolor("0.6")
    floored = np.where(np.isnan(values), np.nan, np.maximum(values, 0.5))
    place.imshow(floored, norm=LogNorm(0.5, counts.max()), origin="lower")
    place.set(xticks=[], yticks=[], title=title)
print(
    f"{np.mean(measured):.1%} of the pixels are measured, {np.mean(known):.1%} known"
)
plt.show()

"""
Less coherent light, less speckle
=================================

With a transverse coherence length below the size of the sample, disks that lie far apart no longer interfere: the
modes of the beam add as intensities, and the contrast of the speckle falls.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm

from speckle_core import KGrid, create

SIZE = 129
grid = KGrid.centered(SIZE, np.pi / 1500)
disks = create("sampler", "monodisperse", radius=40.0).sample(
    15, np.random.default_rng(6)
)
ring = np.rint(grid.distance()).astype(int)
near = ring == SIZE // 6

figure, axes = plt.subplots(1, 3, figsize=(10, 3.6), layout="constrained")
for place, coherence in zip(axes, (None, 600.0, 150.0), strict=True):
    beam = create("scatterer", "gaussian-schell", beam=800.0, coherence=coherence)
    pattern = beam.intensity(disks, grid)
    contrast = pattern[near].std() / pattern[near].mean()
    place.imshow(
        pattern, norm=LogNorm(pattern.max() / 1e5, pattern.max()), origin="lower"
    )
    length = (
        "fully coherent" if coherence is None else f"coherence length {coherence:g}"
    )
    place.set_title(f"{length}: contrast {contrast:.2f}", fontsize=10)
    place.set(xticks=[], yticks=[])
plt.show()

"""
The Patterson map: every pair of disks is a peak
================================================

The Fourier transform of the intensity is the autocorrelation of the sample. It needs no phase. Each pair of
disks gives two peaks, at the vector from one to the other and at its opposite, n (n - 1) in all.
"""

import matplotlib.pyplot as plt
import numpy as np

from speckle_core import KGrid, create

SIZE = 257
grid = KGrid.centered(SIZE, np.pi / 2000)
disks = create("sampler", "monodisperse", radius=60.0).sample(
    4, np.random.default_rng(8)
)
pattern = create("scatterer", "analytic").intensity(disks, grid)

# A window keeps the edge of the pattern from drawing rings around every peak.
edge = np.hanning(SIZE + 2)[1:-1]
window = np.outer(edge, edge)
patterson = np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(pattern * window)).real)
half = np.pi / grid.step  # the map covers as much to either side
centers = disks.particles[0].centers
pairs = (centers[:, None] - centers[None])[~np.eye(len(centers), dtype=bool)]

figure, axes = plt.subplots(figsize=(5.4, 4.6))
pixel = 2 * half / SIZE
extent = 2 * [-half - pixel / 2, half - pixel / 2]
image = axes.imshow(
    patterson, extent=extent, origin="lower", vmax=patterson.max() / 4
)
axes.plot(
    *pairs.T, "o", mfc="none", mec="#d17f00", ms=14, label="differences of centres"
)
ticks = np.arange(-1500, 1501, 750)
axes.set(xticks=ticks, yticks=ticks, xlabel="x", ylabel="y")
axes.set(title="4 disks: 12 peaks around the one at 0")
axes.legend(loc="upper right")
figure.colorbar(image, ax=axes, label="autocorrelation")
plt.show()

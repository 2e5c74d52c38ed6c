"""
From disks to a pattern, and back
=================================

Seven disks scatter; the detector keeps the intensity and loses the phase. The solver finds the disks all the
same, up to what no pattern tells: where in the box the whole lies, and which of two structures it is that are
each other's inversion through a point.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.patches import Circle

from speckle_core import KGrid, create

SIZE = 257
grid = KGrid.centered(SIZE, np.pi / 2000)
disks = create("sampler", "polydisperse").sample(7, np.random.default_rng(3))
pattern = create("scatterer", "analytic").intensity(disks, grid)
solution = create("solver", "patterson").solve(pattern, grid)
print(solution.solved, f"residual {solution.residual:.1e}")

# %%
# The disks found are moved onto the true ones. Both structures, as found and inverted, give the same pattern.

(true,), (found,) = disks.particles, solution.configuration.particles


def onto(centers):
    """Shift centers so that the largest disk lies on the largest true one."""
    return centers - centers[found.radii.argmax()] + true.centers[true.radii.argmax()]


def miss(centers):
    """Return how far the disks lie from true ones, at most."""
    distances = np.linalg.norm(centers[:, None] - true.centers[None], axis=2)
    return distances.min(axis=1).max()


centers = min(onto(found.centers), onto(-found.centers), key=miss)
print(f"no disk is off by more than {miss(centers):.2g} of a box of {disks.box:g}")

figure, (space, reciprocal) = plt.subplots(
    1, 2, figsize=(9.5, 4.2), layout="constrained"
)
for center, radius in zip(true.centers, true.radii, strict=True):
    space.add_patch(Circle(center, radius, fill=False, edgecolor="black", lw=2.5))
for center, radius in zip(centers, found.radii, strict=True):
    space.add_patch(Circle(center, radius, color="#0072b2", alpha=0.6))
space.set(
    xlim=(0, disks.box), ylim=(0, disks.box), aspect="equal", xlabel="x", ylabel="y"
)
space.set_title("true disks (rings) and those found (filled)")
extent = 2 * [grid.step * -(SIZE // 2), grid.step * (SIZE // 2)]
image = reciprocal.imshow(
    pattern,
    norm=LogNorm(pattern.max() / 1e6, pattern.max()),
    extent=extent,
    origin="lower",
)
ticks = [-0.2, -0.1, 0, 0.1, 0.2]
reciprocal.set(xticks=ticks, yticks=ticks)
reciprocal.set(xlabel="$k_x$", ylabel="$k_y$", title="the pattern they came from")
figure.colorbar(image, ax=reciprocal, label="intensity")
plt.show()

"""
Which part of a pattern does an answer rest on?
===============================================

A trained model that comes with the package reads a pattern, again and again, while a patch and its twin at -k are
blotted out with the mean of their rings. Where the probability of the answer falls, it rests on what was
there. It needs no gradients, so it works for any model.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm

from speckle_core import Pipeline, load_model

PATCH = 23
model = load_model("specklenet-poly")
grid = model.grid
pipeline = Pipeline(sampler="polydisperse", scatterer="analytic", grid=grid)
pattern = pipeline.simulate([pipeline.draw(9, 1, seed=5)])[0]
ring = np.rint(grid.distance()).astype(int)
mean = np.bincount(ring.ravel(), pattern.ravel()) / np.bincount(ring.ravel())
smooth = mean[ring]

side = grid.size // PATCH  # odd, so that the patch at -k is one of them
first = (grid.size - side * PATCH) // 2
places = [(row, column) for row in range(side) for column in range(side)]
asked = places[: len(places) // 2 + 1]  # the others are their twins
blotted = np.repeat(pattern[None], len(asked) + 1, axis=0)
for copy, (row, column) in zip(blotted[1:], asked, strict=True):
    y, x = first + row * PATCH, first + column * PATCH
    hidden = np.zeros(pattern.shape, dtype=bool)
    hidden[y : y + PATCH, x : x + PATCH] = True
    hidden |= hidden[::-1, ::-1]
    copy[hidden] = smooth[hidden]
whole, *parts = model.predict_proba(blotted)
answer = int(np.argmax(whole))
fall = np.zeros((side, side))
for (row, column), rates in zip(asked, parts, strict=True):
    fall[row, column] = whole[answer] - rates[answer]
    fall[side - 1 - row, side - 1 - column] = fall[row, column]
print(f"n = {model.classes[answer]} with probability {whole[answer]:.3f}")
print(f"with a patch blotted out it falls by {fall.max():.3f} at most")

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.1), layout="constrained")
left.imshow(pattern, norm=LogNorm(pattern.max() / 1e7, pattern.max()), origin="lower")
left.set(xticks=[], yticks=[], title=f"{model.classes[answer]} disks")
image = right.imshow(
    fall,
    origin="lower",
    cmap="magma",
    extent=2 * [0, side * PATCH],
    vmin=0,
)
right.set(xticks=[], yticks=[], title="fall of its probability without this patch")
figure.colorbar(image, ax=right)
plt.show()

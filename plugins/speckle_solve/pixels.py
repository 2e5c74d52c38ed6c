"""The pixels a refinement looks at: where they are, what was measured, and what it weighs."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from speckle_solve.halfplane import HalfPlane

Floats = NDArray[np.floating[Any]]

# No ring counts as darker than this share of the brightest.
_DARKEST = 1e-9


@attrs.frozen(eq=False)
class Pixels:
    """P known pixels of a half plane, flat.

    Parameters
    ----------
    kx, ky : array, (P,)
        Where they are [1/length].
    root : array, (P,)
        √(I / exposure): what |A| is compared with.
    weight : array, (P,)
        Weight w of a residual w (c|A| - root).
    """

    kx: Floats
    ky: Floats
    root: Floats
    weight: Floats

    def __len__(self) -> int:
        """Return the number of pixels P."""
        return len(self.kx)

    def take(self, chosen: NDArray[Any], dtype: Any = np.float64) -> Pixels:
        """Return the `chosen` pixels as `dtype`."""
        return Pixels(
            *(np.asarray(v[chosen], dtype) for v in (self.kx, self.ky, self.root, self.weight))
        )


def ring_mean(half: HalfPlane, smooth: float = 0.0, counts: float = 0.0) -> NDArray[np.float64]:
    """Return the mean of I over exposure in rings one pixel wide, (rings,); empty rings get nan.

    With `smooth` rings are averaged with neighbours under a Gaussian of that width [pixel], which
    fills dark rings. So many `counts` are added to each ring, as not even an empty one is known to
    be dark.
    """
    rings = np.rint(half.distance()).astype(np.intp)
    count = np.bincount(rings[half.known], minlength=rings.max() + 1).astype(np.float64)
    over = (half.intensity / half.exposure)[half.known]
    total = np.bincount(rings[half.known], weights=over, minlength=len(count))
    total = total + counts * (count > 0)
    if smooth > 0:
        reach = int(np.ceil(3 * smooth))
        kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / smooth) ** 2)
        count, total = (np.convolve(v, kernel, mode="same") for v in (count, total))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: NDArray[np.float64] = total / count
    return mean


def flatten(half: HalfPlane) -> tuple[Pixels, float]:
    """Return all known pixels and the R² that noise leaves on them.

    A root weighs one over its ring's mean and its own variance. Of counts the root is the mean of
    √μ given the count and the ring, whose μ are distributed exponentially as speckle is: √N itself
    is far too small where most pixels are empty (French and Wilson, Acta Cryst. A34, 517, 1978).
    """
    counts = 1.0 if half.level.noise == "poisson" else 0.0
    mean = ring_mean(half, smooth=1.5, counts=counts)
    expected = np.interp(half.distance(), np.flatnonzero(mean >= 0), mean[mean >= 0])
    known = half.known
    ky, kx = half.axes()
    # A ring of nothing but zeros must not weigh infinitely much.
    expected = np.maximum(expected, _DARKEST * float(np.max(expected)))[known]
    exposure, intensity = half.exposure[known], half.intensity[known]
    if half.level.noise == "poisson":
        rate = exposure + 1 / expected
        shape = intensity + 1  # of a gamma distribution of μ
        root = np.exp(gammaln(shape + 0.5) - gammaln(shape)) / np.sqrt(rate)
        variance = np.maximum(shape / rate - root**2, 0.0)
    else:
        root = np.sqrt(np.maximum(intensity, 0.0))
        spread = half.variance[known]
        variance = spread / (4 * np.maximum(intensity, 0.0) + 2 * np.sqrt(spread) + 1e-300)
    square = 1 / (expected + variance)
    noise = float(square @ variance / (square @ root**2))
    shape2d = half.known.shape
    pixels = Pixels(
        np.broadcast_to(kx, shape2d)[known],
        np.broadcast_to(ky[:, None], shape2d)[known],
        root,
        np.sqrt(square),
    )
    return pixels, noise

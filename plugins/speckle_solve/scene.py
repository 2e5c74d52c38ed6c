"""What all steps of one search share: the pattern, the shape, and pixel sets of growing reach."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core import RefinableShape, SupportsScaledProfile
from speckle_solve.amplitudes import Table
from speckle_solve.exact import Exact
from speckle_solve.halfplane import HalfPlane
from speckle_solve.maps import Window
from speckle_solve.pixels import Pixels, flatten
from speckle_solve.sizes import Sizes, sizes

Floats = NDArray[np.floating[Any]]

# How far in k·(mean radius) the pixels of each rung reach: from the main lobe, where sizes hardly
# matter, outwards; the last rung is everything.
REACHES = (2.6, 5.0, 10.0, np.inf)
# Pixels of a rung: so many for each parameter, within these bounds.
_PER_PARAMETER, _FEWEST, _MOST = 10, 500, 6000


@attrs.frozen(eq=False)
class Scene:
    """One pattern with everything that is computed once for it.

    Parameters
    ----------
    half : HalfPlane
        The pattern.
    shape : RefinableShape
        The bodies' shape.
    table : Table or None
        Its profile, if it is round.
    size : Sizes
        What the azimuthal mean says.
    window : Window
        Of the maps: [-box, box] along either axis.
    box : float
        Side of the box [length].
    pixels : Pixels
        All known pixels.
    shuffled : array
        Their numbers in random order; subsets are taken from its front.
    distance : array
        Their |k| [1/length].
    exact : Exact
        Amplitudes on all of them in float64.
    noise : float
        The R² that noise leaves with the weights of `pixels`.
    """

    half: HalfPlane
    shape: RefinableShape
    table: Table | None
    size: Sizes
    window: Window
    box: float
    pixels: Pixels
    shuffled: NDArray[np.intp]
    distance: NDArray[np.float64]
    exact: Exact
    noise: float

    @classmethod
    def of(
        cls, half: HalfPlane, shape: RefinableShape, box: float, rng: np.random.Generator
    ) -> Scene:
        """Prepare a search for bodies of `shape` in a box of side `box` [length]."""
        size = sizes(half, shape, box / 4)
        pixels, noise = flatten(half)
        distance = np.hypot(pixels.kx, pixels.ky)
        table = None
        if isinstance(shape, SupportsScaledProfile):
            table = Table.of(shape, min(4 * size.radius, box / 2) * float(distance.max()))
        middle = 256
        window = Window.of(*half.axes(), -box, box / middle, 2 * middle + 1)
        shuffled = rng.permutation(len(pixels))
        exact = Exact.of(half, shape)
        return cls(half, shape, table, size, window, box, pixels, shuffled, distance, exact, noise)

    def limit(self, rung: int) -> float:
        """Return the largest k of a `rung` [1/length]."""
        return float(min(REACHES[rung] / self.size.radius, self.distance.max()))

    def rungs(self, bodies: int) -> list[int]:
        """Return the rungs that differ and hold pixels enough for so many `bodies`."""
        needed = 3 * self.parameters(bodies)
        reach, out = self.distance.max(), []
        for rung, _ in enumerate(REACHES):
            inside = np.count_nonzero(self.distance <= self.limit(rung))
            if self.limit(rung) >= 0.8 * reach or inside >= needed:
                out.append(rung if self.limit(rung) < 0.8 * reach else len(REACHES) - 1)
        return sorted(set(out))

    def parameters(self, bodies: int) -> int:
        """Return the number of parameters of so many `bodies`."""
        return bodies * (2 + len(self.shape.names))

    def subset(self, rung: int, bodies: int, dtype: Any = np.float32) -> Pixels:
        """Return random pixels of a `rung`, as many as so many `bodies` need."""
        count = int(np.clip(_PER_PARAMETER * self.parameters(bodies), _FEWEST, _MOST))
        inside = self.shuffled[self.distance[self.shuffled] <= self.limit(rung)]
        return self.pixels.take(inside[:count], dtype)

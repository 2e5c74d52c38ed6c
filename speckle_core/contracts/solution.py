"""The result of a solver: the bodies behind one pattern, and how reliable they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core.contracts.geometry import Configuration
from speckle_core.contracts.grid import KGrid

#: What limits the fit: float64 alone, rounding of the stored pattern, or photon counting.
Noise = Literal["none", "rounding", "poisson"]


def claim(solved: bool, explained: bool, faintest: float) -> str:
    """Return what is claimed, see `Solution.claim`."""
    if solved:
        return "yes"
    return f"above {faintest:.2g}" if explained else "no"


@attrs.frozen(eq=False)
class Solution:
    """The bodies behind one pattern, and how reliable they are.

    Parameters
    ----------
    configuration : Configuration
        The bodies found. A pattern determines neither their position in the box nor whether it
        came from a structure or from its point inversion. By convention, the bodies' extent is
        centred in the box, and a solver always picks the same of the two structures.
    scale : float
        The pattern is ``scale · |A|² + offset``, with A in area.
    residual : float
        R = sqrt(Σ w² (√scale·|A| - √I)² / Σ w² I), with I the pattern less its offset and w² one
        over the azimuthal mean of I. Exact models leave only rounding, wrong ones 0.1 to 0.4.
    noise_residual : float
        The R that noise or rounding alone would leave.
    solved : bool
        Whether the model explains the pattern down to its noise, with no body too many and none
        missing, not even one too faint to show. False means "the best found so far".
    offset : float
        Value of zero intensity in the pattern; 0 in raw patterns.
    errors : tuple of mapping
        One entry for each of ``configuration.particles``: parameter name (among them "x" and "y")
        to standard deviations (n,), from the normal matrix. Empty if unknown.
    starts : int
        Number of starting structures refined.
    seconds : float
        Wall-clock time.
    deviances : mapping
        n to the criterion (deviance plus a price for each body) of the best model with n bodies,
        for n near the answer; may be empty.
    noise : {"none", "rounding", "poisson"}
        The noise model assumed.
    faintest : float
        Bounding radius of the smallest body that would have been detected [length]. 0 without
        photon noise.
    explained : bool
        Whether the same holds for bodies larger than `faintest`, whether or not smaller ones could
        be hidden in the noise. A solved pattern is explained without saying so.
    """

    configuration: Configuration
    scale: float
    residual: float
    noise_residual: float
    solved: bool
    offset: float = attrs.field(default=0.0, kw_only=True)
    errors: tuple[Mapping[str, NDArray[np.float64]], ...] = attrs.field(default=(), kw_only=True)
    starts: int = attrs.field(default=1, kw_only=True)
    seconds: float = attrs.field(default=0.0, kw_only=True)
    deviances: Mapping[int, float] = attrs.field(factory=dict, kw_only=True)
    noise: Noise = attrs.field(default="none", kw_only=True)
    faintest: float = attrs.field(default=0.0, kw_only=True)
    explained: bool = attrs.field(default=False, kw_only=True)

    @property
    def claim(self) -> str:
        """What is claimed: "yes" (solved), "above R" (explained, R being the faintest), or "no"."""
        return claim(self.solved, self.explained, self.faintest)

    def pattern(self, grid: KGrid) -> NDArray[np.float64]:
        """Return the pattern of the bodies found on `grid`, ``scale · |A|² + offset``, (ny, nx).

        A = Σ c F(k) exp(-i k·r), summed term by term.
        """
        kx, ky = np.meshgrid(grid.axis, grid.axis)
        amplitude = np.zeros(grid.shape, dtype=np.complex128)
        for particles in self.configuration.particles:
            factors = particles.form_factors(kx, ky)
            bodies = zip(particles.centers, particles.contrast, factors, strict=True)
            for (x, y), contrast, factor in bodies:
                # exp(-i k·r) is a product of one factor per row and one per column.
                rows, columns = np.exp(-1j * y * grid.axis), np.exp(-1j * x * grid.axis)
                amplitude += contrast * factor * (rows[:, None] * columns)
        found: NDArray[np.float64] = self.scale * np.abs(amplitude) ** 2 + self.offset
        return found

"""What a solver answers: the bodies behind one pattern, and how far to trust them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core.contracts.geometry import Configuration
from speckle_core.contracts.grid import KGrid

#: What limits the fit: nothing but float64, rounding of the stored pattern, or photon counts.
Noise = Literal["none", "rounding", "poisson"]


@attrs.frozen(eq=False)
class Solution:
    """The bodies behind one pattern, and how far to trust them.

    Parameters
    ----------
    configuration : Configuration
        The bodies found. A pattern determines neither where in the box they lie nor which of a
        structure and its point inversion it came from. The gauge here: the middle of the bodies'
        extent is the middle of the box, and of the two structures a solver always picks the same.
    scale : float
        The pattern is ``scale · |A|² + offset``, with A in area.
    residual : float
        R = sqrt(Σ w² (√scale·|A| - √I)² / Σ w² I), with I the pattern less its offset and w² one
        over the azimuthal mean of I. Exact models leave rounding, wrong ones 0.1 to 0.4.
    noise_residual : float
        The R that noise or rounding alone would leave.
    solved : bool
        Whether the model explains the pattern down to its noise, with neither a body too many nor
        one missing. False means "the best so far".
    offset : float
        Value of zero intensity in the pattern; 0 in raw patterns.
    errors : tuple of mapping
        One entry for each of ``configuration.particles``: parameter name (among them "x" and "y")
        to standard deviations (n,), from the normal matrix. Empty when they are not known.
    starts : int
        How many starting structures were refined.
    seconds : float
        Wall-clock time.
    deviances : mapping
        n to the criterion (deviance + 3 n ln(pixels), as BIC has it) of the best model with n
        bodies; those near the answer, or none at all.
    noise : {"none", "rounding", "poisson"}
        What was assumed of the noise.
    faintest : float
        Bounding radius of the smallest body that would have shown [length]; nothing is claimed of
        smaller ones. 0 without photon noise.
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

    def pattern(self, grid: KGrid) -> NDArray[np.float64]:
        """Return what the bodies found would give on `grid`, ``scale · |A|² + offset``, (ny, nx).

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

"""The k-space points that the detector pixels see."""

from __future__ import annotations

import math
from typing import Literal

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core.errors import ExperimentError

Layout = Literal["centered", "quadrant"]


@attrs.frozen
class KGrid:
    """A square grid of equally spaced k points; patterns on it are indexed ``[y, x]``.

    Parameters
    ----------
    layout : {"centered", "quadrant"}
        ``centered`` puts k = 0 in the middle pixel (`size` odd); ``quadrant`` runs from 0 to k_max.
    size : int
        Pixels along each side.
    step : float
        Spacing of neighbouring pixels [1/length, in the unit of the box]; π / L in the paper.

    Raises
    ------
    ExperimentError
        For a size below 1, an even centred size, or a step that is not positive and finite.

    Examples
    --------
    >>> from speckle_core import KGrid
    >>> grid = KGrid.centered(5, 0.5)
    >>> grid.axis.tolist()
    [-1.0, -0.5, 0.0, 0.5, 1.0]
    >>> grid.shape, grid.origin
    ((5, 5), 2)
    """

    layout: Layout
    size: int
    step: float

    def __attrs_post_init__(self) -> None:
        if self.layout not in ("centered", "quadrant"):
            raise ExperimentError(
                f"unknown layout {self.layout!r}",
                where="grid",
                hint="Use 'centered' or 'quadrant'.",
            )
        if self.size < 1:
            raise ExperimentError(f"size must be at least 1, not {self.size}", where="grid")
        if self.layout == "centered" and self.size % 2 == 0:
            raise ExperimentError(
                f"a centred grid needs an odd size, for k = 0 in its middle pixel, not {self.size}",
                where="grid",
                hint=f"Use {self.size + 1}, or layout = 'quadrant'.",
            )
        if not (math.isfinite(self.step) and self.step > 0):
            raise ExperimentError(
                f"step must be positive and finite, not {self.step}", where="grid"
            )

    @classmethod
    def centered(cls, size: int, step: float) -> KGrid:
        """Return the grid with k = 0 in the middle pixel of an odd `size`; `step` in 1/length."""
        return cls("centered", size, step)

    @classmethod
    def quadrant(cls, size: int, step: float) -> KGrid:
        """Return the grid from k = 0 in pixel [0, 0] to k_max, as in the paper's text."""
        return cls("quadrant", size, step)

    @property
    def shape(self) -> tuple[int, int]:
        """(ny, nx), the shape of one pattern."""
        return (self.size, self.size)

    @property
    def origin(self) -> int:
        """Index of k = 0 along either axis."""
        return self.size // 2 if self.layout == "centered" else 0

    @property
    def indices(self) -> NDArray[np.int64]:
        """Integer k coordinates along one axis, (size,): k divided by `step`."""
        return np.arange(self.size, dtype=np.int64) - self.origin

    @property
    def axis(self) -> NDArray[np.float64]:
        """K along one axis, (size,) [1/length]; kx runs along the last array axis, ky the first."""
        return np.asarray(self.indices * self.step, dtype=np.float64)

    @property
    def k_max(self) -> float:
        """Largest k along one axis [1/length]."""
        return float((self.size - 1 - self.origin) * self.step)

    def distance(self) -> NDArray[np.float64]:
        """Return the distance of every pixel from k = 0 [pixels], (ny, nx)."""
        index = self.indices.astype(np.float64)
        distance: NDArray[np.float64] = np.hypot(index[:, None], index[None, :])
        return distance

    def magnitude(self) -> NDArray[np.float64]:
        """Return |k| of every pixel, (ny, nx) [1/length]."""
        lengths: NDArray[np.float64] = self.distance() * self.step
        return lengths

    def block(self, size: int) -> tuple[slice, slice]:
        """Return the slices of the `size` × `size` block of pixels around k = 0.

        The block is clipped to the grid: on a quadrant only indices ≥ 0 exist.
        """
        half = size // 2
        side = slice(max(self.origin - half, 0), min(self.origin + half + 1, self.size))
        return side, side

"""A detector without noise or gaps."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core import FloatArray, KGrid


@attrs.frozen(kw_only=True)
class Ideal:
    """The intensity itself; every pixel counts."""

    def record(
        self,
        intensity: FloatArray,
        grid: KGrid,
        rng: np.random.Generator,  # noqa: ARG002 - part of the role
    ) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Return a copy of `intensity` (ny, nx) and a mask that is True everywhere."""
        return np.array(intensity), np.ones(grid.shape, dtype=bool)

"""`first-moment`: the paper's conventional analysis, one number per pattern (its figure 6)."""

from __future__ import annotations

from typing import ClassVar, Literal

import attrs

from speckle_baselines.azimuthal import Floats, Rings
from speckle_baselines.baseline import Baseline
from speckle_core import FirstMoments, first_moments


@attrs.define(kw_only=True, eq=False, slots=False)
class FirstMoment(Baseline):
    """The class with the nearest first moment, as normal densities.

    Parameters
    ----------
    definition : {"raw", "shifted", "absolute", "normalized"}
        One of the paper's four definitions; see `speckle_core.first_moments`. ``raw`` uses the
        intensity, which is known up to a factor for a standardized pattern; the factor cancels.
    """

    name: ClassVar[str] = "first-moment"
    definition: Literal["raw", "shifted", "absolute", "normalized"] = "raw"

    def measure(self, rings: Rings, intensities: Floats) -> Floats:
        """Return the first moment [pixels], (B, 1)."""
        found: FirstMoments = first_moments(rings.image(intensities), rings.grid)
        moments: Floats = getattr(found, self.definition)
        return moments[:, None]

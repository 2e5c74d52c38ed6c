"""First-moment analysis of the width of a scattering pattern, in the paper's four definitions.

It is the conventional analysis that the paper compares its network with (figure 6).

The authors' code differs from the text in three of the four; the text is implemented here. With z
the standardized intensity:

- "shifted standardized": the code computes ``mean(r·z) / mean(z) + 1``, where ``mean(z)`` is
  rounding noise, so the value is ±1e18 and meaningless; in the text the 1 is added to the average;
- "absolute standardized": the code computes ``mean(r·|z|) / mean(|z|) + 1``, the intensity-weighted
  mean distance plus 1; the text mentions neither division nor 1. The values published in figure 6
  (e) are those of the code;
- "normalized standardized": the code adds 1 to the ratio, which the text does not mention.
"""

from __future__ import annotations

from typing import Literal

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core.contracts.arrays import FloatArray
from speckle_core.contracts.grid import KGrid
from speckle_core.errors import PatternError

#: Below this fraction of the mean absolute intensity, a mean is rounding error.
_ROUNDING = 1e-5


@attrs.frozen(eq=False)
class FirstMoments:
    """The four first moments of B patterns, each (B,), in the requested unit of distance.

    `raw` and `normalized` are lengths in k space. `shifted` and `absolute` are weighted by the
    dimensionless standardized intensity, which does not sum to one, and keep the unit by name only.
    """

    raw: NDArray[np.float64]
    shifted: NDArray[np.float64]
    absolute: NDArray[np.float64]
    normalized: NDArray[np.float64]


def first_moments(
    patterns: FloatArray,
    grid: KGrid,
    *,
    distance: Literal["exact", "floor"] = "exact",
    unit: Literal["pixel", "k"] = "pixel",
) -> FirstMoments:
    """Return the first moments of the intensity about k = 0.

    With I the intensity of a pixel, r its distance from k = 0, z = (I − <I>) / sd(I),
    m = (I − min I) / (max I − min I), and < > the mean over all pixels of a pattern:

    ========== ================= =================================================================
    name       definition        the paper's words
    ========== ================= =================================================================
    raw        <r I> / <I>       the average of the product of the pixel intensity and its
                                 distance from q = 0, typically divided by the average intensity
    shifted    <r z> / (<z> + 1) … of standardized data, divided by the average intensity plus one
    absolute   <r |z|>           the average of the product of the absolute value of pixel
                                 intensity and its distance from q = 0
    normalized <r m> / <m>       the first definition after the min–max scaler
    ========== ================= =================================================================

    Since <z> is 0, `shifted` is <r z>. `normalized` equals `raw` if the smallest intensity is 0, as
    with a blocked centre.

    Parameters
    ----------
    patterns : array, (B, ny, nx)
        Intensities, with or without a blocked centre, but not standardized.
    grid : KGrid
        The grid of the patterns.
    distance : {"exact", "floor"}
        Whether r is the exact distance, or rounded down to whole pixels as in the paper's figure 6.
    unit : {"pixel", "k"}
        Unit of r: pixels, or k [1 / unit of length of the box].

    Returns
    -------
    FirstMoments
        Four arrays, (B,).

    Raises
    ------
    PatternError
        For a wrong shape, NaN or infinity, a constant pattern, or one whose mean is not positive,
        such as a standardized one.

    Examples
    --------
    >>> import numpy as np
    >>> from speckle_core import KGrid, first_moments
    >>> patterns = np.zeros((1, 5, 5))
    >>> patterns[0, 2, 2:] = [3.0, 2.0, 1.0]  # k = 0 is the middle pixel
    >>> first_moments(patterns, KGrid.centered(5, 0.1)).raw.round(3).tolist()
    [0.667]

    References
    ----------
    The definitions are those of the text around figure 6 of the paper.
    """
    if patterns.ndim != 3 or patterns.shape[1:] != grid.shape:
        raise PatternError(
            f"patterns of shape {patterns.shape}, but the grid has {grid.size}² pixels",
            where="first moments",
        )
    radius = grid.distance()
    if distance == "floor":
        radius = np.floor(radius)
    if unit == "k":
        radius = radius * grid.step
    flat = patterns.reshape(len(patterns), -1)
    rows = [_moments(row.astype(np.float64), radius.ravel(), i) for i, row in enumerate(flat)]
    return FirstMoments(*np.array(rows, dtype=np.float64).reshape(-1, 4).T)


def moments_about(
    counts: NDArray[np.generic],
    center: tuple[float, float],
    *,
    valid: NDArray[np.bool_] | None = None,
) -> FirstMoments:
    """Return the first moments of one frame of any shape about its centre, exact and in pixels.

    Parameters
    ----------
    counts : array, (ny, nx)
        Intensity.
    center : tuple of float
        k = 0 as (y, x) [pixel]; whole numbers are the middles of pixels.
    valid : array of bool, (ny, nx), optional
        True where a pixel counts; all means are taken over these alone.

    Raises
    ------
    PatternError
        As `first_moments`.
    """
    y, x = (np.arange(n) - c for n, c in zip(counts.shape, center, strict=True))
    radius = np.hypot(y[:, None], x[None, :])
    chosen = np.ones(counts.shape, dtype=bool) if valid is None else valid
    row = _moments(np.asarray(counts[chosen], dtype=np.float64), radius[chosen], 0)
    return FirstMoments(*np.array([row], dtype=np.float64).T)


def _moments(
    intensity: NDArray[np.float64], radius: NDArray[np.float64], number: int
) -> tuple[float, float, float, float]:
    where = f"first moments, pattern {number}"
    if not np.isfinite(intensity).all():
        raise PatternError("contains NaN or infinity", where=where)
    mean, sd, low, high = intensity.mean(), intensity.std(), intensity.min(), intensity.max()
    if low == high:
        raise PatternError("all pixels are equal, so the first moment is undefined", where=where)
    if mean <= _ROUNDING * np.abs(intensity).mean():
        raise PatternError(
            "its mean intensity is not positive",
            where=where,
            hint="First moments need intensities; do not standardize the pattern first.",
        )
    raw = radius @ intensity / intensity.sum()
    standardized = (intensity - mean) / sd
    shifted = np.mean(radius * standardized) / (standardized.mean() + 1.0)
    absolute = np.mean(radius * np.abs(standardized))
    normalized = radius @ (intensity - low) / (intensity - low).sum()
    return raw, shifted, absolute, normalized

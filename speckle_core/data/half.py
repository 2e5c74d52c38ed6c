"""The half plane of patterns with I(-k) = I(k): the rows with ky ≥ 0 of a centred grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from speckle_core.errors import OptionError


def check_symmetric(patterns: NDArray[np.float32], valid: NDArray[np.bool_] | None) -> None:
    """Check that the lower half of patterns (B, ny, nx) is the upper one turned, bit for bit.

    Raises
    ------
    OptionError
        When it is not, or when some pixels are not `valid`.
    """
    origin = patterns.shape[-1] // 2
    upper = patterns[:, origin:]
    if valid is None and np.array_equal(patterns[:, origin::-1], upper[..., ::-1]):
        return
    raise OptionError(
        "half of these patterns does not give the other half: I(-k) = I(k) holds for a real "
        "contrast and without a detector that adds noise or leaves pixels out",
        where="storage.store",
        hint="Use 'whole' or 'recipe'.",
    )


def complete_half(pattern: NDArray[np.float32]) -> None:
    """Fill the rows with ky < 0 of a `pattern` (ny, nx) from those with ky > 0."""
    origin = pattern.shape[-1] // 2
    pattern[:origin] = pattern[:origin:-1, ::-1]

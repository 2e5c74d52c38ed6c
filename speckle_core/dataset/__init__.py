"""Data sets on disk: what one is, how it is read and verified. `generate` makes them."""

from speckle_core.dataset.dataset import Dataset as Dataset
from speckle_core.dataset.verification import (
    Problem as Problem,
)
from speckle_core.dataset.verification import (
    VerifyReport as VerifyReport,
)
from speckle_core.dataset.verification import (
    verify as verify,
)

__all__ = ["Dataset", "Problem", "VerifyReport", "verify"]

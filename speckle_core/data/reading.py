"""Helpers for readers of untrusted files: safe HDF5, and a size limit on every array.

These are the public names for plugins; they are implemented in `speckle_core.data.hdf5`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from speckle_core.data.hdf5 import check as check_hdf5
from speckle_core.data.hdf5 import datasets as list_hdf5
from speckle_core.data.hdf5 import find as find_hdf5
from speckle_core.data.hdf5 import open_file as open_hdf5
from speckle_core.data.hdf5_limits import attribute as read_hdf5_attribute
from speckle_core.data.hdf5_limits import walk as walk_hdf5
from speckle_core.data.limits import STRONGEST
from speckle_core.errors import DataError

__all__ = [
    "check_array",
    "check_hdf5",
    "find_hdf5",
    "list_hdf5",
    "open_hdf5",
    "read_hdf5_attribute",
    "walk_hdf5",
]

#: Largest array read at once [bytes].
LIMIT = 4 * 2**30


def check_array(
    shape: Sequence[int], dtype: np.dtype[Any], source: str, *, stored: float = math.inf
) -> None:
    """Reject an array, before reading it, that cannot be frames or cannot fit in its file.

    Parameters
    ----------
    shape : sequence of int
        (ny, nx) or (…, ny, nx), as the file declares it.
    dtype : numpy.dtype
        As declared.
    source : str
        The file and the place in it, for error messages.
    stored : float
        Size of the file [bytes]; a compressed array may be up to 1100 times as large.

    Raises
    ------
    DataError
        For complex or non-numeric values, fewer than two axes, an empty array, or too many bytes.
    """
    if dtype.kind == "c":
        raise DataError(
            "contains complex numbers, not intensities", where=source, hint="Store |A|² instead."
        )
    if dtype.kind not in "iufb":
        raise DataError(f"contains {dtype}, not numbers", where=source)
    if len(shape) < 2:
        raise DataError(
            f"has shape {tuple(shape)}, neither a pattern (ny, nx) nor a stack (B, ny, nx)",
            where=source,
        )
    declared = math.prod(shape) * dtype.itemsize
    if declared == 0:
        raise DataError(f"is empty: its shape is {tuple(shape)}", where=source)
    if declared > stored * STRONGEST:
        raise DataError(
            f"declares {declared} bytes, more than can be stored in its file", where=source
        )
    if declared > LIMIT:
        raise DataError(
            f"takes {declared} bytes, more than the limit of {LIMIT}",
            where=source,
            hint="Split it into several files.",
        )

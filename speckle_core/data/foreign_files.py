"""Read all patterns of a file as one array, for scripts; commands read frame by frame."""

from __future__ import annotations

import os

import numpy as np

from speckle_core.contracts.arrays import FloatArray
from speckle_core.data.frames import open_frames


def read_patterns(
    path: str | os.PathLike[str], *, dataset: str | None = None
) -> tuple[FloatArray, str]:
    """Return the frames of a file, (B, ny, nx) floating, and where in it they were found.

    Masks and geometry are ignored; `open_frames` reads them, and documents the errors. Values are
    float32, or float64 where float32 would round.
    """
    frames = open_frames(path, dataset=dataset)
    kind = frames[0].counts.dtype
    exact = kind.itemsize <= (4 if kind.kind == "f" else 2)
    floating = np.float32 if exact else np.float64
    stack: FloatArray = np.stack([frame.counts.astype(floating) for frame in frames])
    return stack, frames.source

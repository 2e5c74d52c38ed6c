"""Which pixels of a detector exist: gaps between modules, beamstop, defect pixels."""

from __future__ import annotations

import functools
import hashlib
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from speckle_core import KGrid, OptionError, read_mask

Mask = NDArray[np.bool_]

#: Where the gaps lie along each axis, as shares of its length. No two lie opposite each other about
#: the middle pixel, so that most of what a gap hides is seen at -k.
LAYOUTS = {"none": (), "cross": (0.375,), "modules": (0.25, 0.625)}


def gaps(grid: KGrid, layout: str, share: float) -> Mask:
    """Return the pixels (ny, nx) in gaps of equal width, which cover about `share` of them.

    With m gaps of width w along each axis of N pixels they cover 1 - (1 - m w / N)².
    """
    inside = np.zeros(grid.size, dtype=bool)
    places = LAYOUTS[layout]
    if places:
        width = round(grid.size * (1 - math.sqrt(1 - share)) / len(places))
        for place in places:
            start = round(place * grid.size - width / 2)
            inside[max(0, start) : max(0, start + width)] = True
    return inside[:, None] | inside


def beamstop(grid: KGrid, radius: float, arm: float) -> Mask:
    """Return the pixels (ny, nx) behind a disk about k = 0 and an arm from it towards high ky.

    `radius` and the width of the `arm` are in pixels; 0 is without.
    """
    y, x = grid.indices[:, None], grid.indices
    disk = np.hypot(y, x) < radius
    return np.asarray(disk | ((y >= 0) & (np.abs(x) < arm / 2)))


def defects(grid: KGrid, hot: float, dead: float, seed: int) -> tuple[Mask, Mask]:
    """Return the hot and the dead pixels (ny, nx) of one detector, each a share of all pixels."""
    pixels = grid.size**2
    order = np.random.default_rng(seed).permutation(pixels)
    many, few = round(hot * pixels), round((hot + dead) * pixels)
    found = np.zeros((2, pixels), dtype=bool)
    found[0, order[:many]] = True
    found[1, order[many:few]] = True
    return found[0].reshape(grid.shape), found[1].reshape(grid.shape)


@functools.lru_cache(maxsize=4)
def _mask_of_file(path: str, sha256: str | None, changed: int) -> Mask:  # noqa: ARG001
    """Return the pixels of a mask file that count, after checking its hash."""
    data = Path(path.partition("::")[0]).read_bytes()
    if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
        raise OptionError(
            "is not the file that the patterns were recorded with: its SHA-256 differs",
            where=f"mask = {path}",
        )
    valid = read_mask(path)
    valid.flags.writeable = False
    return valid


def from_file(path: str, sha256: str | None, grid: KGrid, center: tuple[float, ...] | None) -> Mask:
    """Return the pixels (ny, nx) that the mask of a real frame leaves out.

    Pixels of the frame are pixels of the grid. `center` is k = 0 on the frame, (y, x) [pixel], by
    default its middle pixel, or the first one on a quadrant. What lies beyond the frame is left
    out.
    """
    place = Path(path.partition("::")[0])
    if not place.is_file():
        raise OptionError("file not found", where=f"mask = {path}")
    valid = _mask_of_file(path, sha256, place.stat().st_mtime_ns)
    ny, nx = valid.shape
    if center is None:
        center = (0.0, 0.0) if grid.layout == "quadrant" else ((ny - 1) / 2, (nx - 1) / 2)
    rows, columns = (grid.indices + math.floor(c + 0.5) for c in center)
    in_y, in_x = (rows >= 0) & (rows < ny), (columns >= 0) & (columns < nx)
    hidden = np.ones(grid.shape, dtype=bool)
    hidden[np.ix_(in_y, in_x)] = ~valid[np.ix_(rows[in_y], columns[in_x])]
    return hidden

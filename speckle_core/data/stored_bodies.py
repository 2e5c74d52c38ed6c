"""Read the bodies stored beside the patterns of a speckle file, to draw them.

The class named in the file is not imported, since a file must not decide what code runs. Bodies
are therefore read as discs of their bounding radius, which is exact for disks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import h5py
import numpy as np
from numpy.typing import NDArray

from speckle_core.contracts.arrays import FloatArray
from speckle_core.contracts.geometry import Configuration
from speckle_core.contracts.grid import KGrid
from speckle_core.data.hdf5 import check, find, is_there, open_file
from speckle_core.data.nexus import DATA, NUMBERS, PARTICLES
from speckle_core.errors import DataError

_AXIS = "/entry_1/data_1/x"


@attrs.frozen(eq=False)
class BoundingDiscs:
    """Bodies as stored in a file: centre, bounding radius and contrast."""

    centers: NDArray[np.float64]
    bounding_radii: NDArray[np.float64]
    contrast: NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of bodies."""
        return len(self.centers)

    def form_factors(self, kx: FloatArray, ky: FloatArray) -> FloatArray:
        """Raise `DataError`: the form factors are not in the file."""
        del kx, ky
        raise DataError("bodies read from a file can only be drawn")

    def density(self, i: int, x: FloatArray, y: FloatArray) -> NDArray[np.float64]:
        """Return 1 within the bounding radius of body `i`, else 0."""
        distance = np.hypot(x - self.centers[i, 0], y - self.centers[i, 1])
        return np.asarray(distance <= self.bounding_radii[i], dtype=np.float64)


def first_system(path: Path) -> tuple[Configuration, KGrid] | None:
    """Return the bodies and grid of the first pattern in `path`; None if speckle did not write it.

    Raises
    ------
    DataError
        When the file is damaged.
    """
    with open_file(path) as file:
        if not all(is_there(file, name) for name in (PARTICLES, DATA, NUMBERS, _AXIS)):
            return None
        read = _Reader(file, path.resolve().parent)
        number, axis = read(NUMBERS)[0], read(_AXIS)
        bodies = [
            discs
            for name, item in find(file, PARTICLES).items()
            if isinstance(item, h5py.Group)
            and len(discs := read.bodies(f"{PARTICLES}/{name}", number))
        ]
        box = float(read(f"{PARTICLES}/box")[0])
    make = KGrid.centered if axis[0] < 0 else KGrid.quadrant
    return Configuration(tuple(bodies), box), make(len(axis), float(axis[1] - axis[0]))


@attrs.frozen
class _Reader:
    """Reads arrays from an open file after checking each."""

    file: h5py.File
    folder: Path

    def __call__(self, name: str) -> NDArray[Any]:
        found = find(self.file, name)
        if not isinstance(found, h5py.Dataset):
            raise DataError("is not a dataset", where=f"{self.file.filename}: {name}")
        check(found, folder=self.folder)
        return np.asarray(found[()])

    def bodies(self, home: str, number: int) -> BoundingDiscs:
        """Return the bodies below `home` of the pattern called `number`."""
        rows = self(f"{home}/pattern_index") == number
        centers, radii = (self(f"{home}/{name}")[rows] for name in ("centers", "bounding_radii"))
        # Draw all bodies alike, whatever their contrast.
        return BoundingDiscs(centers, radii, np.ones(len(radii)))

"""Geometry from pyFAI's PONI files, in the convention of this framework."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from speckle_core.contracts.frames import Geometry
from speckle_core.errors import DataError
from speckle_core.notes import read_text

_LARGEST = 2**20
#: Pixel sizes [m] of detectors that PONI files give by name only.
_PIXELS = {
    "eiger": 75e-6,
    "jungfrau": 75e-6,
    "pilatus": 172e-6,
    "lambda": 55e-6,
    "maxipix": 55e-6,
    "timepix": 55e-6,
    "medipix": 55e-6,
}
#: Which axes, (y, x), run against those of orientation 3, pyFAI's usual one.
_TURNED = {1: (True, True), 2: (True, False), 3: (False, False), 4: (False, True)}


def read_poni(path: Path, pixel_size: float | None = None) -> Geometry:
    """Return the geometry in a PONI file, of the old layout or of versions 2 and 2.1.

    pyFAI measures the point of normal incidence from the detector's corner. On a tilted detector
    the beam centre differs from that point, and pixel coordinates here refer to pixel centres. An
    orientation (version 2.1) other than 3 turns an axis of the array about.

    Parameters
    ----------
    path : Path
        The file.
    pixel_size : float, optional
        Side of a pixel [m], instead of what the file says.

    Raises
    ------
    DataError
        When it cannot be read or is incomplete.

    References
    ----------
    J. Kieffer and J. P. Wright, Powder Diffraction 28, S339 (2013); pyFAI's documentation,
    "Geometry conventions".
    """
    where = str(path)
    try:
        text = read_text(path, largest=_LARGEST)
        lines = [line.partition(":") for line in text.removeprefix("\ufeff").splitlines()]
    except (OSError, ValueError) as error:
        raise DataError(f"cannot be read: {error}", where=where) from error
    said = {key.strip().lower(): value.strip() for key, colon, value in lines if colon}
    try:
        distance, poni1, poni2 = (float(said[k]) for k in ("distance", "poni1", "poni2"))
        rot1, rot2 = (float(said.get(k, "0")) for k in ("rot1", "rot2"))
        wavelength = float(said["wavelength"]) if "wavelength" in said else None
        config: Any = json.loads(said.get("detector_config", "{}"))
        config = config if isinstance(config, dict) else {}
        pixel = pixel_size or _pixel_size(said, config)
        orientation = int(config.get("orientation") or 3)
        sides = [int(n) for n in config.get("max_shape") or ()]
    except KeyError as error:
        raise DataError(f"is not a PONI file: it has no {error}", where=where) from error
    except (TypeError, ValueError, RecursionError) as error:
        raise DataError(f"is not a PONI file: {error}", where=where) from error
    if pixel is None:
        raise DataError("has no pixel size", where=where, hint="Give --pixel-size as well.")
    y = poni1 + distance * math.tan(rot2) / math.cos(rot1)
    x = poni2 - distance * math.tan(rot1)
    turned = _TURNED.get(orientation, (True, True))
    center = [y / pixel - 0.5, x / pixel - 0.5]
    if orientation not in _TURNED or (any(turned) and len(sides) != 2):
        why = "no max_shape" if orientation in _TURNED else "pyFAI has 1 to 4"
        raise DataError(f"has the orientation {orientation}, but {why}", where=where)
    for axis in (a for a in range(2) if turned[a]):
        center[axis] = sides[axis] - 1 - center[axis]
    lengths = (distance, wavelength if wavelength is not None else 1.0)
    if not all(math.isfinite(v) for v in center) or min(lengths) <= 0:
        raise DataError("has a geometry that is not possible", where=where)
    return Geometry(
        center=(center[0], center[1]),
        pixel_size=pixel,
        distance=distance / (math.cos(rot1) * math.cos(rot2)),
        wavelength=wavelength,
    )


def _pixel_size(said: dict[str, str], config: dict[str, Any]) -> float | None:
    sizes = [config.get(k) for k in ("pixel1", "pixel2")]
    sizes = [s if s is not None else said.get(f"pixelsize{i}") for i, s in enumerate(sizes, 1)]
    known = [float(s) for s in sizes if s is not None]
    if len(known) == 2:
        if abs(known[0] - known[1]) > 1e-6 * known[0]:
            raise ValueError(f"its pixels are not square: {known[0]:g} m by {known[1]:g} m")
        return known[0]
    name = said.get("detector", "").lower()
    return next((size for start, size in _PIXELS.items() if name.startswith(start)), None)

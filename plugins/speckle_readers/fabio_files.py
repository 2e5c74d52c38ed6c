"""What fabio reads: EDF, CBF, MarCCD, SPE and others, with the geometry in their headers."""

from __future__ import annotations

import bz2
import gzip
import logging
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core import DataError, Frames, Geometry, check_array
from speckle_readers.choice import reject_name

# What fabio says of a damaged file goes to whoever listens to logs; the user gets one error.
logging.getLogger("fabio").addHandler(logging.NullHandler())
_BEGINNINGS = (b"###CBF:", b"{\nHeaderID", b"{\n EDF", b"{\r\nHeaderID", b"{\nHEADER_BYTES")
#: Bytes to which a packed file may unpack, or so many times its own.
_UNPACKED, _GAIN = 2**25, 100
_NUMBER = r"([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)"


@attrs.frozen(kw_only=True)
class Fabio:
    """Reads frames through fabio."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The endings of its files."""
        return (
            *(".edf", ".edf.gz", ".edf.bz2", ".cbf", ".cbf.gz", ".cor", ".esperanto", ".fit2d"),
            *(".img", ".kcd", ".mar2300", ".mar3450", ".marccd", ".mccd", ".mar", ".mpa", ".msk"),
            *(".osc", ".pnm", ".raxis", ".sfrm", ".spe", ".spr", ".xdi"),
        )

    def matches(self, head: bytes) -> bool:
        """Say whether a file that begins so is an EDF or a CBF."""
        return head.startswith(_BEGINNINGS)

    def read(
        self, path: Path, *, dataset: str | None = None, frames_axis: int | None = None
    ) -> Frames:
        """Return the frames of a file; `frames_axis` means nothing, since each is a picture."""
        import fabio

        del frames_axis
        reject_name(path, dataset)
        _check_packed(path)
        image = fabio.open(str(path))
        shape = (int(image.shape[-2]), int(image.shape[-1]))
        count = max(int(image.nframes), 1)
        check_array((count, *shape), np.dtype(image.dtype), str(path), stored=path.stat().st_size)

        def read(index: int) -> NDArray[Any]:
            return np.asarray(image.data if count == 1 else image.get_frame(index).data)

        return Frames(
            read=read,
            count=count,
            shape=shape,
            geometry=_geometry(image.header),
            path=str(path),
        )


def _check_packed(path: Path) -> None:
    """Refuse a file that gzip or bzip2 packed and that unpacks to far more than frames would."""
    packed: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open}
    unpack = packed.get(path.suffix.lower())
    if unpack is None:
        return
    most = max(_UNPACKED, _GAIN * path.stat().st_size)
    with unpack(path, "rb") as file:
        total = 0
        while piece := file.read(2**20):
            total += len(piece)
            if total > most:
                raise DataError(
                    f"unpacks to more than {most} bytes", where=str(path), hint="Unpack it first."
                )


def _geometry(header: Mapping[str, Any]) -> Geometry:
    """Return what an EDF header says, or the comments of a CBF as Pilatus detectors write them."""
    found: dict[str, float | None] = {
        "pixel_size": _number(header.get("PSize_1")),
        "distance": _number(header.get("SampleDistance")),
        "wavelength": _number(header.get("WaveLength")),
    }
    # EDF counts from a pixel's corner: the middle of the first pixel is at 0.5.
    x, y = _number(header.get("Center_1")), _number(header.get("Center_2"))
    center = None if x is None or y is None else (y - 0.5, x - 0.5)
    text = str(header.get("_array_data.header_contents", ""))
    for name, pattern, unit in (
        ("pixel_size", rf"Pixel_size\s+{_NUMBER}\s*m", 1.0),
        ("distance", rf"Detector_distance\s+{_NUMBER}\s*m", 1.0),
        ("wavelength", rf"Wavelength\s+{_NUMBER}\s*A", 1e-10),
    ):
        if said := re.search(pattern, text):
            found[name] = float(said[1]) * unit
    if said := re.search(rf"Beam_xy\s+\({_NUMBER},\s*{_NUMBER}\)", text):
        center = (float(said[2]), float(said[1]))
    known = {name: value for name, value in found.items() if value is not None and value > 0}
    return Geometry(center=center, **known)


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) else None

"""What the user states about frames: mask, invalid values, geometry, crop and binning.

`FrameOptions` has the options of the command line, for use in scripts.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import attrs
import numpy as np

from speckle_core.analysis.validity import check_rule
from speckle_core.contracts.frames import Geometry, Mask
from speckle_core.data.frames import open_frames
from speckle_core.data.poni import read_poni
from speckle_core.errors import DataError, OptionError


def _as_path(value: str | Path | None) -> Path | None:
    return None if value is None else Path(value)


@attrs.frozen(kw_only=True)
class FrameOptions:
    """What the user states about frames beyond what the file does.

    Parameters
    ----------
    dataset, frames_axis
        See `open_frames`.
    mask : path, optional
        A mask file of the frames' shape, non-zero for invalid pixels as in pyFAI and NeXus; for
        HDF5 ``FILE::DATASET`` is possible.
    invalid : tuple of str
        Values that mark invalid pixels: ``negative``, ``max``, ``nan``, or a number.
    center : (y, x) or "auto", optional
        k = 0 [pixel]; integers are pixel centres. ``auto`` finds it from I(-k) = I(k).
    step : float, optional
        Pixel spacing in k [1 / unit of length of the box].
    wavelength, distance, pixel_size : float, optional
        [m]
    unit : float, optional
        The box's unit of length [m], to convert a step in 1/m to the model's unit.
    poni : path, optional
        A PONI file of pyFAI.
    crop : tuple of int, optional
        (y0, y1, x0, x1): the rows and columns to keep.
    rebin : int
        Sum blocks of `rebin` × `rebin` pixels.
    """

    dataset: str | None = None
    frames_axis: int | None = None
    mask: str | None = None
    invalid: tuple[str, ...] = ()
    center: tuple[float, float] | Literal["auto"] | None = None
    step: float | None = None
    wavelength: float | None = None
    distance: float | None = None
    pixel_size: float | None = None
    unit: float | None = None
    poni: Path | None = attrs.field(default=None, converter=_as_path)
    crop: tuple[int, int, int, int] | None = None
    rebin: int = 1

    def __attrs_post_init__(self) -> None:
        for rule in self.invalid:
            check_rule(rule)
        if self.rebin < 1:
            raise OptionError(f"must be at least 1, not {self.rebin}", where="--rebin")
        lengths = (self.wavelength, self.distance, self.pixel_size)
        if self.step is not None and any(v is not None for v in lengths):
            raise OptionError(
                "the k step is given twice: by --step, and by wavelength, distance and pixel size",
                where="--step",
                hint="Give one of them.",
            )
        self.geometry  # noqa: B018 - reports invalid numbers now

    @property
    def geometry(self) -> Geometry:
        """The geometry stated by the user."""
        known = Geometry() if self.poni is None else read_poni(self.poni, self.pixel_size)
        return known.updated(
            Geometry(
                center=None if self.center == "auto" else self.center,
                step=self.step,
                wavelength=self.wavelength,
                distance=self.distance,
                pixel_size=self.pixel_size,
            )
        )

    @property
    def places(self) -> bool:
        """Whether the user stated a position, so that a frame of another size is intended."""
        return self.center is not None or self.crop is not None or self.poni is not None


def read_mask(name: str) -> Mask:
    """Return the valid pixels of a mask file as True, (ny, nx).

    Parameters
    ----------
    name : str
        The file, or ``FILE::DATASET``; its values are non-zero for invalid pixels.

    Raises
    ------
    DataError
        When it cannot be read.
    OptionError
        When it contains more than one mask.
    """
    path, _, dataset = name.partition("::")
    try:
        frames = open_frames(path, dataset=dataset or None)
    except DataError as error:
        if dataset or "contains" not in error.what:
            raise
        raise DataError(
            error.what, where=error.where, hint=f"Name the mask: --mask {path}::DATASET."
        ) from error
    values = frames[0].counts
    if len(frames) > 1:
        raise OptionError(f"contains {len(frames)} masks, not one", where=f"--mask {name}")
    bad = ~np.isfinite(values) if values.dtype.kind == "f" else np.zeros(values.shape, dtype=bool)
    return np.asarray((values == 0) & ~bad)

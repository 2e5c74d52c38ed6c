"""Measured frames: counts, valid pixels, geometry in k, and origin.

Readers of detector files return these. Unknown geometry is None and stays None until the user
states it; nothing here guesses.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core.errors import DataError

Mask = NDArray[np.bool_]


def _check_positive(_: object, field: attrs.Attribute[Any], value: float | None) -> None:
    if value is not None and not (math.isfinite(value) and value > 0):
        raise DataError(f"must be positive and finite, not {value}", where=field.name)


def _check_finite(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    if value is not None and not all(map(math.isfinite, value)):
        raise DataError(f"must be finite, not {value}", where=field.name)


def _positive() -> Any:
    return attrs.field(default=None, validator=_check_positive)


@attrs.frozen(kw_only=True)
class Geometry:
    """Position of a frame's pixels in k; None means unknown.

    Parameters
    ----------
    center : tuple of float, optional
        k = 0 as (y, x) [pixel]; integers are pixel centres, (0, 0) that of the first pixel.
    pixel_size, distance, wavelength : float, optional
        Side of a square pixel, sample-detector distance, wavelength [m].
    step : float, optional
        Pixel spacing in k [1 / unit of length of the box].
    metric_step : float, optional
        The same in [1/m], for files that give k in a metric unit.
    """

    center: tuple[float, float] | None = attrs.field(default=None, validator=_check_finite)
    pixel_size: float | None = _positive()
    distance: float | None = _positive()
    wavelength: float | None = _positive()
    step: float | None = _positive()
    metric_step: float | None = _positive()

    def k_step(self, unit_of_length: float | None = None) -> float | None:
        """Return the step [1 / unit of length of the box], or None if unknown.

        Without `step` it is 2π p / (λ d) near the beam, with pixel size p, wavelength λ and
        distance d (e.g. Als-Nielsen and McMorrow, Elements of Modern X-ray Physics, for small
        angles), times the `unit_of_length` of the box [m].
        """
        if self.step is not None:
            return self.step
        metric = self.metric_step
        if metric is None and self.pixel_size and self.distance and self.wavelength:
            metric = 2 * math.pi * self.pixel_size / (self.wavelength * self.distance)
        return None if metric is None or unit_of_length is None else metric * unit_of_length

    @property
    def is_metric(self) -> bool:
        """Whether the step is known in 1/m, though perhaps not in the box's unit of length."""
        return self.step is None and self.k_step(1.0) is not None

    def updated(self, other: Geometry) -> Geometry:
        """Return this geometry, overridden by whatever `other` knows.

        A step in `other` also overrides a wavelength and distance known here, and vice versa.
        """
        known = {k: v for k, v in attrs.asdict(other).items() if v is not None}
        base = self
        if {"pixel_size", "distance", "wavelength"} & known.keys():
            base = attrs.evolve(base, step=None, metric_step=None)
        return attrs.evolve(base, **known)


@attrs.frozen(eq=False, kw_only=True)
class Frame:
    """One frame of a detector.

    Parameters
    ----------
    counts : array, (ny, nx)
        As recorded, in the file's own type.
    valid : array of bool, (ny, nx)
        True for valid pixels.
    geometry : Geometry
        Position of the pixels in k.
    source : str
        The file and the dataset in it.
    index : int
        Index of the frame in that dataset, from 0.
    """

    counts: NDArray[Any]
    valid: Mask
    geometry: Geometry = Geometry()
    source: str = ""
    index: int = 0

    def __attrs_post_init__(self) -> None:
        if self.counts.ndim != 2 or self.valid.shape != self.counts.shape:
            raise DataError(
                f"counts of shape {self.counts.shape} with a mask of shape {self.valid.shape}: "
                "both must be (ny, nx)",
                where=self.source or "frame",
            )


@attrs.frozen(eq=False, kw_only=True)
class Frames:
    """The frames of one dataset of a file, read lazily.

    Parameters
    ----------
    read : callable
        ``read(index) -> counts (ny, nx)``, in the file's own type.
    count : int
        Number of frames.
    shape : tuple of int
        (ny, nx) of each.
    valid : callable, optional
        ``valid(index) -> bool (ny, nx)``, True for valid pixels; by default all are.
    geometry : Geometry
        Geometry stated in the file.
    path : str
        The file.
    dataset : str
        The dataset in it; empty if the format has no names.
    scan_shape : tuple of int
        Shape of the scan that was flattened to `count` frames, slowest axis first.
    notes : tuple of str
        Remarks for the user on how the file was read.
    """

    read: Callable[[int], NDArray[Any]]
    count: int
    shape: tuple[int, int]
    valid: Callable[[int], Mask] | None = None
    geometry: Geometry = Geometry()
    path: str = ""
    dataset: str = ""
    scan_shape: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def from_array(cls, values: NDArray[Any], **about: Any) -> Frames:
        """Return the frames in an array, (ny, nx) or (…, ny, nx); leading axes are a scan."""
        if values.ndim < 2:
            raise DataError(f"has the shape {values.shape}, not (…, ny, nx)", where="frames")
        stack = values.reshape(-1, *values.shape[-2:])
        about.setdefault("scan_shape", values.shape[:-2])
        return cls(
            read=lambda index: np.asarray(stack[index]),
            count=len(stack),
            shape=(values.shape[-2], values.shape[-1]),
            **about,
        )

    @property
    def source(self) -> str:
        """The file and the dataset in it."""
        return f"{self.path}: {self.dataset}" if self.dataset else self.path

    def __len__(self) -> int:
        """Return the number of frames."""
        return self.count

    def __getitem__(self, index: int) -> Frame:
        """Return one frame.

        Raises
        ------
        IndexError
            When `index` is out of range.
        DataError
            When the frame cannot be read.
        """
        if not 0 <= index < self.count:
            raise IndexError(f"there are frames 0 to {self.count - 1}, not {index}")
        try:
            counts = self.read(index)
        except (OSError, RuntimeError, ValueError) as error:
            raise DataError(
                f"frame {index} cannot be read: {' '.join(str(error).split())[:200]}",
                where=self.source,
                hint="The file is damaged there.",
            ) from error
        valid = np.ones(counts.shape, dtype=bool) if self.valid is None else self.valid(index)
        return Frame(
            counts=counts, valid=valid, geometry=self.geometry, source=self.source, index=index
        )

    def __iter__(self) -> Iterator[Frame]:
        """Iterate over the frames, with one in memory at a time."""
        return (self[index] for index in range(self.count))

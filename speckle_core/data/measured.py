"""Frames with the user's options applied, and resampled to the grid of a model.

Without a way to that grid, `Measured.on_grid` says why.
"""

from __future__ import annotations

from pathlib import Path

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core.analysis.regrid import OnGrid, rebin, to_grid
from speckle_core.analysis.validity import invalid
from speckle_core.contracts.frames import Frame, Frames, Geometry, Mask
from speckle_core.contracts.grid import KGrid
from speckle_core.data.frame_options import FrameOptions, read_mask
from speckle_core.data.frames import open_frames
from speckle_core.errors import OptionError, PatternError


class Measured:
    """The frames of one file with the user's options applied, read lazily.

    Parameters
    ----------
    path : Path
        The file.
    options : FrameOptions
        The user's options.
    mask : array of bool, optional
        True for valid pixels; by default read from `options.mask`.

    Attributes
    ----------
    remarks : dict
        Remarks for the user, and for which frames.
    whose : str
        Whose grid `on_grid` is given, in words.
    """

    whose = "the model's"

    def __init__(
        self, path: Path, options: FrameOptions | None = None, mask: Mask | None = None
    ) -> None:
        self.options = options or FrameOptions()
        self.frames: Frames = open_frames(
            path, dataset=self.options.dataset, frames_axis=self.options.frames_axis
        )
        if mask is None and self.options.mask is not None:
            mask = read_mask(self.options.mask)
        if mask is not None and mask.shape != self.frames.shape:
            raise OptionError(
                f"has {mask.shape} pixels, the frames of {self.frames.source} {self.frames.shape}",
                where=f"--mask {self.options.mask}",
            )
        self._mask = mask
        self.remarks: dict[str, int] = dict.fromkeys(self.frames.notes, len(self.frames))
        if mask is not None and self.options.mask is not None and mask.mean() < 0.5:
            self.remarks[
                f"--mask {self.options.mask} leaves out {1 - mask.mean():.1%} of the pixels: those "
                "where it is not 0"
            ] = len(self.frames)

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.frames)

    def _say(self, text: str) -> None:
        self.remarks[text] = self.remarks.get(text, 0) + 1

    def frame(self, index: int) -> Frame:
        """Return one frame, masked, cropped and binned, with its centre located if requested.

        Raises
        ------
        DataError
            When the frame cannot be read.
        PatternError
            When it has no valid pixel, or no centre is found.
        """
        options, frame = self.options, self.frames[index]
        counts = frame.counts
        valid = frame.valid if self._mask is None else frame.valid & self._mask
        bad, said = invalid(counts, valid, options.invalid)
        for text in said:
            self._say(f"{text}: left out")
        valid = valid & ~bad
        geometry = frame.geometry.updated(options.geometry)
        if options.crop is not None:
            counts, valid, geometry = _crop(counts, valid, geometry, options.crop)
        if options.rebin > 1:
            counts, valid = rebin(counts, valid, options.rebin)
            geometry = _bin_geometry(geometry, options.rebin)
        if not valid.any():
            raise PatternError("no pixel is valid", hint="Check the mask and the invalid values.")
        if options.center == "auto":
            from speckle_core.analysis.beam_center import beam_center  # brings scipy

            center = beam_center(counts, valid)
            self._say(f"k = 0 found at ({center[0]:.1f}, {center[1]:.1f})")
            geometry = attrs.evolve(geometry, center=center)
        return attrs.evolve(frame, counts=counts, valid=valid, geometry=geometry)

    def center(self, frame: Frame, grid: KGrid | None = None) -> tuple[float, float]:
        """Return k = 0 of a frame: as known, or else the middle pixel, with a remark.

        Raises
        ------
        PatternError
            When it is unknown and there is no middle pixel.
        """
        if frame.geometry.center is not None:
            return frame.geometry.center
        if grid is not None and grid.layout == "quadrant":
            return (0.0, 0.0)
        ny, nx = frame.counts.shape
        if ny != nx or nx % 2 == 0:
            raise PatternError(
                f"patterns of {ny} × {nx} pixels have no middle pixel for k = 0",
                hint="Give its position with --center Y,X (integers are pixel centres), or use "
                "--center auto.",
            )
        self._say("k = 0 is assumed to be in the middle pixel (change with --center)")
        return (ny // 2, nx // 2)

    def on_grid(self, index: int, grid: KGrid) -> tuple[OnGrid, bool]:
        """Return one frame on the grid of a model, and whether its k step was known.

        Raises
        ------
        PatternError
            When it cannot be resampled to that grid.
        """
        frame = self.frame(index)
        center = self.center(frame, grid)
        step = frame.geometry.k_step(self.options.unit)
        known = step is not None
        if step is None:
            self._check_size(frame, grid)
            metric = " in the model's unit of length (set it with --unit)"
            self._say(
                f"its k step is unknown{metric if frame.geometry.is_metric else ''}; assumed to "
                f"be {self.whose}, {grid.step:.6g} (change with --step)"
            )
            step = grid.step
        return to_grid(frame.counts, frame.valid, center, step, grid), known

    def _check_size(self, frame: Frame, grid: KGrid) -> None:
        """Reject a frame of another size than the model's grid if its k is not stated."""
        ny, nx = frame.counts.shape
        options = self.options
        told = options.center is not None or options.crop is not None or options.poni is not None
        if (ny, nx) != grid.shape and not told:
            raise PatternError(
                f"it has {ny} × {nx} pixels of unknown k step, the model's grid {grid.size} × "
                f"{grid.size} pixels of {grid.step:.6g}",
                hint="Give its step with --step K, or --wavelength, --distance, --pixel-size and "
                "--unit; or, if the step is the model's, give k = 0 with --center Y,X.",
            )


def own_grid(measured: Measured) -> tuple[KGrid, bool]:
    """Return a grid around the frames' k = 0 with their own step, and whether that is known.

    It extends as far in k as the frames; with an unknown step, its step is 1 (a pixel).

    Raises
    ------
    DataError
        When no frame is usable, or the position of k = 0 is unknown.
    """
    where = measured.frames.source
    for index in range(len(measured)):
        try:
            frame = measured.frame(index)
            center = measured.center(frame)
        except PatternError as error:
            last = PatternError(error.what, where=where, hint=error.hint)
            continue
        step = frame.geometry.k_step(measured.options.unit)
        # The longer side decides, since I(-k) = I(k).
        sides = zip(center, frame.counts.shape, strict=True)
        reach = min(int(max(round(c), n - 1 - round(c))) for c, n in sides)
        return KGrid.centered(2 * reach + 1, step or 1.0), step is not None
    raise last


def _crop(
    counts: NDArray[np.generic],
    valid: Mask,
    geometry: Geometry,
    crop: tuple[int, int, int, int],
) -> tuple[NDArray[np.generic], Mask, Geometry]:
    y0, y1, x0, x1 = crop
    if not (0 <= y0 < y1 <= counts.shape[0] and 0 <= x0 < x1 <= counts.shape[1]):
        raise OptionError(
            f"rows {y0} to {y1} and columns {x0} to {x1} are outside a frame of "
            f"{counts.shape[0]} × {counts.shape[1]} pixels",
            where="--crop",
        )
    if geometry.center is not None:
        y, x = geometry.center
        geometry = attrs.evolve(geometry, center=(y - y0, x - x0))
    return counts[y0:y1, x0:x1], valid[y0:y1, x0:x1], geometry


def _bin_geometry(geometry: Geometry, by: int) -> Geometry:
    larger = {
        name: value * by
        for name in ("pixel_size", "step", "metric_step")
        if (value := getattr(geometry, name)) is not None
    }
    if geometry.center is not None:
        y, x = ((c + 0.5) / by - 0.5 for c in geometry.center)
        return attrs.evolve(geometry, center=(y, x), **larger)
    return attrs.evolve(geometry, **larger)

"""TIFF: every page of the first one's shape, and the stacks that ImageJ writes behind one page."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core import DataError, Frames, check_array, check_tiff_pages, list_tiff_pages
from speckle_readers.choice import frames_of, reject_name

# What tifffile says of a damaged file goes to whoever listens to logs; the user gets one error.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


@attrs.frozen(kw_only=True)
class Tiff:
    """Reads the pages of a TIFF."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The endings of its files."""
        return (".tif", ".tiff")

    def matches(self, head: bytes) -> bool:
        """Say whether a file that begins so is a TIFF or BigTIFF."""
        return head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

    def read(
        self, path: Path, *, dataset: str | None = None, frames_axis: int | None = None
    ) -> Frames:
        """Return the frames of a TIFF; pages of other shapes than the first's are left out."""
        import tifffile

        reject_name(path, dataset)
        source = str(path)
        # Pages, never series: those follow names of other files in OME metadata.
        with tifffile.TiffFile(path) as file:
            pages = list_tiff_pages(file, path)
            if not pages:
                raise DataError("contains no image", where=source)
            first = pages[0]
            if not first.axes.endswith("YX"):
                raise DataError("is a colour image, not intensities", where=source)
            kind = (first.shape, first.dtype)
            alike = [page for page in pages if (page.shape, page.dtype) == kind]
            notes: tuple[str, ...] = ()
            if len(alike) < len(pages):
                notes = (
                    f"{len(pages) - len(alike)} of {len(pages)} pages have another shape or type "
                    f"than the first, {first.shape}, and are left out",
                )
            images = _stacked_by_imagej(file) if len(pages) == 1 else 1
            shape = (
                first.shape if len(alike) == images == 1 else (len(alike) * images, *first.shape)
            )
            check_array(shape, np.dtype(first.dtype), source, stored=path.stat().st_size)
            check_tiff_pages(alike, path)
            if images > 1:
                values = _behind(path, first, images)
            else:
                read = [page.asarray() for page in alike]
                values = read[0] if len(read) == 1 else np.stack(read)
        return frames_of(values, path, "", frames_axis, notes=notes)


def _stacked_by_imagej(file: Any) -> int:
    """Return how many images ImageJ says there are; it writes a page for the first alone."""
    images = (file.imagej_metadata or {}).get("images", 1) if file.is_imagej else 1
    return images if isinstance(images, int) and images > 0 else 1


def _behind(path: Path, page: Any, images: int) -> NDArray[Any]:
    """Return the images that follow one another in the file, mapped."""
    dtype = np.dtype(page.dtype).newbyteorder(page.parent.byteorder)
    start, wanted = page.dataoffsets[0], images * math.prod(page.shape) * dtype.itemsize
    if page.compression != 1 or start + wanted > path.stat().st_size:
        raise DataError(
            f"says that it holds {images} images, more than can be stored in its file",
            where=str(path),
        )
    return np.memmap(path, dtype, "r", start, (images, *page.shape))

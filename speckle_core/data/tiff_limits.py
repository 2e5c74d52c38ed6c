"""What a TIFF may ask for: pages, the strips or tiles of each, and what those unpack to."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from speckle_core.data.limits import SMALL, STRONGEST, unpacks_to_at_most
from speckle_core.errors import DataError

#: Pages of one file.
MOST_PAGES = 100_000
_KINDS = {8: "deflate", 32946: "deflate", 34925: "lzma"}
_NONE = 1


def list_tiff_pages(file: Any, path: Path) -> list[Any]:
    """Return the pages of an open `tifffile.TiffFile`.

    Raises
    ------
    DataError
        When there are too many, or more than the file can hold.
    """
    # A directory of one entry takes 18 bytes, so more would be shared between pages.
    most = min(MOST_PAGES, path.stat().st_size // 18)
    pages = list(itertools.islice(iter(file.pages), most + 1))
    if len(pages) > most:
        raise DataError(f"says that it has more than {most} pages", where=str(path))
    return pages


def check_tiff_pages(pages: Sequence[Any], path: Path) -> None:
    """Refuse pages whose strips or tiles take or unpack to far more than the page has.

    Parameters
    ----------
    pages : sequence of tifffile.TiffPage
        Those that are to be read.
    path : Path
        Their file.

    Raises
    ------
    DataError
        With what is wrong.
    """
    with path.open("rb") as file:
        for number, page in enumerate(pages):
            _check_page(page, file, f"{path}: page {number}", path.stat().st_size)


def _check_page(page: Any, file: Any, where: str, size: int) -> None:
    itemsize = page.dtype.itemsize if page.dtype is not None else 1
    declared = math.prod(page.shape) * itemsize
    segment = math.prod(page.tile or (page.rowsperstrip, page.imagewidth)) * itemsize
    segment *= page.samplesperpixel if page.planarconfig == 1 else 1
    if page.is_tiled and segment > max(4 * declared, SMALL):
        raise DataError(f"declares {declared} bytes in tiles of {segment} bytes", where=where)
    segment = segment if page.is_tiled else min(segment, declared)
    wanted = math.prod(page.chunked)
    if len(page.dataoffsets) > wanted or len(page.databytecounts) > wanted:
        raise DataError(f"has more than its {wanted} strips or tiles", where=where)
    # Bits of a pixel are unpacked to bytes, and bytes that do not get smaller grow a little.
    longest = segment + segment // 64 + 4096
    for at, count in zip(page.dataoffsets, page.databytecounts, strict=False):
        if count > longest or at + count > size:
            raise DataError(f"has a strip or tile of {count} bytes", where=where)
        kind = _KINDS.get(int(page.compression))
        if kind is None or count * (STRONGEST if kind == "deflate" else 2**16) <= 4 * segment:
            continue
        file.seek(at)
        try:
            fits = unpacks_to_at_most(file.read(count), longest, kind)
        except ValueError as error:
            raise DataError(f"is damaged: {error}", where=where) from error
        if not fits:
            raise DataError(
                f"has a strip or tile that unpacks to more than its {segment} bytes", where=where
            )

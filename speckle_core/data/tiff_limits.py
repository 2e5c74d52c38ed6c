"""Limits on what a TIFF file may demand: pages, strips or tiles, and their decompressed size."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from speckle_core.data.limits import SMALL, STRONGEST, unpacks_to_at_most
from speckle_core.errors import DataError

#: Maximum number of pages.
MOST_PAGES = 100_000
_KINDS = {8: "deflate", 32946: "deflate", 34925: "lzma"}
_NONE = 1


def list_tiff_pages(file: Any, path: Path) -> list[Any]:
    """Return the pages of an open `tifffile.TiffFile`.

    Raises
    ------
    DataError
        When there are too many, or more than fit in the file.
    """
    # The smallest page directory takes 18 bytes; with more pages, some would be shared.
    most = min(MOST_PAGES, path.stat().st_size // 18)
    pages, places = [], set()
    for page in itertools.islice(iter(file.pages), most + 1):
        if page.offset in places:
            raise DataError("has pages that follow one another in a circle", where=str(path))
        places.add(page.offset)
        pages.append(page)
    if len(pages) > most:
        raise DataError(f"declares more than {most} pages", where=str(path))
    return pages


def check_tiff_pages(pages: Sequence[Any], path: Path) -> None:
    """Reject pages whose strips or tiles take, or decompress to, far more than the page.

    Parameters
    ----------
    pages : sequence of tifffile.TiffPage
        The pages to be read.
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
    # Sub-byte pixels are expanded to bytes, and incompressible bytes grow a little.
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
                f"has a strip or tile that decompresses to more than its {segment} bytes",
                where=where,
            )

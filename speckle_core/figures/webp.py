"""Pictures as WebP, for pages that hold them."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from speckle_core.figures.dark import darken
from speckle_core.figures.style import IMAGES

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

_WIDTH, _QUALITY = 820, 50
#: What is paper or a light fill [0 to 255], and which share of it makes a chart.
_LIGHT, _CHART = 204, 0.9
#: Exact pictures that take more [byte per pixel] are looked at twice.
_MUCH = 1 / 8


def compact(picture: Image) -> bytes:
    """Return a picture as WebP of the same size, pixel for pixel unless that is twice as long.

    Lines and letters are shortest when exact; speckle is noise, which nothing exact makes small.
    """
    # A third of the time of the usual effort, for one more byte in a hundred.
    exact = _encoded(picture, lossless=True, method=1, quality=60)
    if len(exact) < _MUCH * picture.width * picture.height:
        return exact
    near = _encoded(picture.convert("RGB"), quality=_QUALITY)
    return min(exact, near, key=lambda made: len(made) * (1 + (made is near)))


def _encoded(picture: Image, **options: object) -> bytes:
    memory = io.BytesIO()
    picture.save(memory, "webp", **options)
    return memory.getvalue()


def light_and_dark(drawn: NDArray[np.uint8], boxes: Sequence[Sequence[int]]) -> tuple[bytes, bytes]:
    """Return pixels and boxes of `raster` as `compact` pictures for a light and a dark page."""
    from PIL import Image

    pixels = np.ascontiguousarray(drawn[..., :3])
    light, dark = (compact(Image.fromarray(p)) for p in (pixels, darken(pixels, boxes)))
    return light, dark


def small(png: bytes) -> bytes:
    """Return a picture as a WebP no wider than a page, in a tenth of the bytes."""
    from PIL import Image

    with Image.open(io.BytesIO(png)) as opened:
        return _small(opened.convert("RGB"))


def _small(picture: Image) -> bytes:
    from PIL import Image

    if picture.width > _WIDTH:
        height = round(picture.height * _WIDTH / picture.width)
        picture = picture.resize((_WIDTH, height), Image.Resampling.LANCZOS)
    return _encoded(picture, quality=_QUALITY)


def for_pages(png: bytes) -> tuple[bytes, bytes | None]:
    """Return a figure for a light and for a dark page; None where that is not known.

    A chart of lines stays exact, a picture with images becomes small. On a dark page the lightness
    of paper, ink and lines is turned over and hues stay; images keep their colours. Our own figures
    say where these lie.
    """
    import PIL.Image

    with PIL.Image.open(io.BytesIO(png)) as opened:
        boxes = _boxes(opened)
        values = np.asarray(opened.convert("RGB"))
    chart = np.mean(values.min(axis=-1) > _LIGHT) >= _CHART
    if boxes is None and not chart:
        return small(png), None
    dark = PIL.Image.fromarray(darken(values, boxes or ()))
    return (small(png), _small(dark)) if boxes else (png, compact(dark))


def _boxes(picture: Image) -> list[list[int]] | None:
    """Return the boxes of images that the text of a PNG names; None where it is not ours."""
    try:
        found = json.loads(getattr(picture, "text", {})[IMAGES])
        return [[max(int(value), 0) for value in box] for box in found if len(box) in (4, 5)]
    except (KeyError, ValueError, TypeError):
        return None


def is_webp(picture: bytes) -> bool:
    """Say whether a picture is WebP."""
    return picture[:4] == b"RIFF" and picture[8:12] == b"WEBP"


def size(picture: bytes) -> tuple[int, int]:
    """Return width and height [pixel] of a PNG, or of a WebP that `small` made."""
    if is_webp(picture):
        width, height = struct.unpack("<HH", picture[26:30])
        return width & 0x3FFF, height & 0x3FFF
    width, height = struct.unpack(">II", picture[16:24])
    return width, height

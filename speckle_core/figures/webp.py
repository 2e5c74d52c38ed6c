"""Pictures as WebP, for pages that hold them."""

from __future__ import annotations

import io
import json
import struct
from typing import TYPE_CHECKING

from speckle_core.figures.dark import turned
from speckle_core.figures.style import IMAGES

if TYPE_CHECKING:
    from PIL.Image import Image

_WIDTH, _QUALITY = 820, 50
#: What is paper or a light fill [0 to 1], and which share of it makes a chart.
_LIGHT, _CHART = 0.8, 0.9


def compact(png: bytes) -> bytes:
    """Return a picture as WebP of the same size, pixel for pixel unless that is twice as long.

    Lines and letters are shortest when exact; speckle is noise, which nothing exact makes small.
    """
    from PIL import Image

    exact, near = io.BytesIO(), io.BytesIO()
    with Image.open(io.BytesIO(png)) as picture:
        picture.save(exact, "webp", lossless=True)
        picture.convert("RGB").save(near, "webp", quality=_QUALITY)
    made = min(exact, near, key=lambda memory: len(memory.getvalue()) * (1 + (memory is near)))
    return made.getvalue()


def small(png: bytes) -> bytes:
    """Return a picture as a WebP no wider than a page, in a tenth of the bytes."""
    from PIL import Image

    with Image.open(io.BytesIO(png)) as opened:
        picture = opened.convert("RGB")
    if picture.width > _WIDTH:
        height = round(picture.height * _WIDTH / picture.width)
        picture = picture.resize((_WIDTH, height), Image.Resampling.LANCZOS)
    memory = io.BytesIO()
    picture.save(memory, "webp", quality=_QUALITY)
    return memory.getvalue()


def for_pages(png: bytes) -> tuple[bytes, bytes | None]:
    """Return a figure for a light and for a dark page; None where that is not known.

    A chart of lines stays exact, a picture with images becomes small. On a dark page the lightness
    of paper, ink and lines is turned over and hues stay; images keep their colours. Our own figures
    say where these lie.
    """
    import numpy as np
    import PIL.Image

    with PIL.Image.open(io.BytesIO(png)) as opened:
        boxes = _boxes(opened)
        values = np.asarray(opened.convert("RGB"), dtype=np.float32) / 255
    chart = np.mean(values.min(axis=-1) > _LIGHT) >= _CHART
    if boxes is None and not chart:
        return small(png), None
    shown = turned(values)
    for left, top, right, bottom in boxes or ():
        place = np.s_[top:bottom, left:right]
        shown[place] = values[place]
    memory = io.BytesIO()
    PIL.Image.fromarray(np.round(255 * shown).astype(np.uint8)).save(memory, "png")
    if boxes:
        return small(png), small(memory.getvalue())
    return png, compact(memory.getvalue())


def _boxes(picture: Image) -> list[list[int]] | None:
    """Return the boxes of images that the text of a PNG names; None where it is not ours."""
    try:
        found = json.loads(getattr(picture, "text", {})[IMAGES])
        return [[max(int(value), 0) for value in box] for box in found if len(box) == 4]
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

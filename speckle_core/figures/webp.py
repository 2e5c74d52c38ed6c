"""Pictures as WebP, for pages that hold them."""

from __future__ import annotations

import io
import struct

_WIDTH, _QUALITY = 820, 60


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

"""Pictures as WebP, for pages that hold them."""

from __future__ import annotations

import io
import struct

from speckle_core.figures.dark import LIGHT, PAPER

_WIDTH, _QUALITY = 820, 60
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


def night(png: bytes) -> bytes | None:
    """Return a chart of lines for a dark page as WebP; None for a picture, which is shown as it is.

    A chart is mostly paper. Lightness is turned over and hues stay, from `PAPER` to `LIGHT`.
    """
    import numpy as np
    from matplotlib.colors import to_rgb
    from PIL import Image

    with Image.open(io.BytesIO(png)) as opened:
        values = np.asarray(opened.convert("RGB"), dtype=np.float32) / 255
    if np.mean(values.min(axis=-1) > _LIGHT) < _CHART:
        return None
    paper, light = np.array(to_rgb(PAPER)), np.array(to_rgb(LIGHT))
    turned = values + 1 - values.max(axis=-1, keepdims=True) - values.min(axis=-1, keepdims=True)
    shown = np.round(255 * (paper + turned * (light - paper))).astype(np.uint8)
    memory = io.BytesIO()
    Image.fromarray(shown).save(memory, "png")
    return compact(memory.getvalue())


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

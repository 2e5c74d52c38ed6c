import io

import numpy as np
from PIL import Image

from speckle_core.figures import webp


def encoded(pixels):
    memory = io.BytesIO()
    Image.fromarray(pixels).save(memory, "png")
    return memory.getvalue()


def png(width, height):
    return encoded(np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8))


def test_a_drawing_keeps_its_pixels_and_noise_becomes_short():
    drawn = np.zeros((30, 40, 3), dtype=np.uint8)
    drawn[5:20, 10:12] = drawn[8, 3:30] = (200, 30, 90)
    kept = webp.compact(encoded(drawn))
    assert webp.is_webp(kept)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(kept)).convert("RGB")), drawn)
    noise = png(40, 30)
    assert not webp.is_webp(noise)
    assert len(webp.compact(noise)) < len(noise) / 2
    assert Image.open(io.BytesIO(webp.compact(noise))).size == (40, 30)


def test_a_small_picture_is_no_wider_than_a_page_and_says_its_size():
    for width, height, expected in ((1640, 90, (820, 45)), (64, 48, (64, 48))):
        given = png(width, height)
        assert webp.size(given) == (width, height)
        made = webp.small(given)
        assert webp.size(made) == Image.open(io.BytesIO(made)).size == expected
        assert len(made) < len(given)

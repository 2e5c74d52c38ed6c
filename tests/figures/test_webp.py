import io

import numpy as np
from PIL import Image

from speckle_core.figures import webp


def png(width, height):
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    memory = io.BytesIO()
    Image.fromarray(pixels).save(memory, "png")
    return memory.getvalue(), pixels


def test_an_exact_picture_has_the_same_pixels():
    given, pixels = png(40, 30)
    kept = webp.exact(given)
    assert webp.is_webp(kept)
    assert not webp.is_webp(given)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(kept)).convert("RGB")), pixels)


def test_a_small_picture_is_no_wider_than_a_page_and_says_its_size():
    for width, height, expected in ((1640, 90, (820, 45)), (64, 48, (64, 48))):
        given, _ = png(width, height)
        assert webp.size(given) == (width, height)
        made = webp.small(given)
        assert webp.size(made) == Image.open(io.BytesIO(made)).size == expected
        assert len(made) < len(given)

"""Pictures of a folder on a dark page."""

from __future__ import annotations

import io

import numpy as np
from matplotlib.colors import to_rgb
from PIL import Image

from speckle_core.figures.dark import LIGHT, PAPER
from speckle_core.figures.webp import night


def png(values: np.ndarray) -> bytes:
    memory = io.BytesIO()
    Image.fromarray(values.astype(np.uint8)).save(memory, "png")
    return memory.getvalue()


def test_a_chart_of_lines_has_the_dark_pages_paper_ink_and_the_same_hues() -> None:
    chart = np.full((40, 60, 3), 255)
    chart[10], chart[20] = 0, (0, 114, 178)
    made = night(png(chart))
    assert made is not None
    shown = np.asarray(Image.open(io.BytesIO(made)).convert("RGB")) / 255
    assert np.allclose(shown[0, 0], to_rgb(PAPER), atol=0.01)
    assert np.allclose(shown[10, 0], to_rgb(LIGHT), atol=0.01)
    red, green, blue = shown[20, 0]
    assert red < green < blue
    assert shown[20, 0].mean() > chart[20, 0].mean() / 255


def test_a_picture_stays_as_it_is() -> None:
    speckle = np.random.default_rng(0).integers(0, 256, (40, 60, 3))
    assert night(png(speckle)) is None

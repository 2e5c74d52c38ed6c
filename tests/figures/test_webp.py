"""Pictures of a folder on a dark page."""

from __future__ import annotations

import io

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from speckle_core.figures.dark import LIGHT, PAPER, darken
from speckle_core.figures.style import encode, new_figure, raster
from speckle_core.figures.webp import for_pages, light_and_dark


def png(values: np.ndarray) -> bytes:
    memory = io.BytesIO()
    Image.fromarray(values.astype(np.uint8)).save(memory, "png")
    return memory.getvalue()


def test_a_chart_of_lines_has_the_dark_pages_paper_ink_and_the_same_hues() -> None:
    chart = np.full((40, 60, 3), 255)
    chart[10], chart[20] = 0, (0, 114, 178)
    light, made = for_pages(png(chart))
    assert light == png(chart)
    assert made is not None
    shown = np.asarray(Image.open(io.BytesIO(made)).convert("RGB")) / 255
    assert np.allclose(shown[0, 0], to_rgb(PAPER), atol=0.01)
    assert np.allclose(shown[10, 0], to_rgb(LIGHT), atol=0.01)
    red, green, blue = shown[20, 0]
    assert red < green < blue
    assert shown[20, 0].mean() > chart[20, 0].mean() / 255


def test_a_picture_stays_as_it_is() -> None:
    speckle = np.random.default_rng(0).integers(0, 256, (40, 60, 3))
    assert for_pages(png(speckle))[1] is None


def test_images_of_our_figures_keep_their_colours_and_what_is_around_them_turns() -> None:
    figure = new_figure(4, 3)
    left, right = figure.subplots(1, 2)
    speckle = np.random.default_rng(0).random((20, 20))
    figure.colorbar(left.imshow(speckle, cmap="viridis"))
    right.plot([0, 1], [0, 1], color="black")
    drawn = encode(figure)
    light, dark = (
        np.asarray(Image.open(io.BytesIO(p)).convert("RGB"), float) for p in for_pages(drawn) if p
    )
    assert np.allclose(dark[0, 0] / 255, to_rgb(PAPER), atol=0.03)
    extent = left.get_window_extent().extents * 150 / figure.dpi
    x0, y0, x1, y1 = extent.astype(int)
    inside = np.s_[len(light) - y1 + 3 : len(light) - y0 - 3, x0 + 3 : x1 - 3]
    assert np.abs(dark[inside] - light[inside]).mean() < 6
    assert np.abs(dark - light).mean() > 60


@pytest.mark.parametrize("along", ["horizontal", "vertical"])
def test_paper_beside_the_points_of_a_colour_bar_turns_and_the_points_do_not(along: str) -> None:
    figure = new_figure(3, 3)
    axes = figure.add_subplot()
    image = axes.imshow(np.arange(16).reshape(4, 4), cmap="viridis", vmin=1, vmax=14)
    figure.colorbar(image, orientation=along, extend="both")
    pixels, boxes = raster(figure)
    dark = darken(pixels[..., :3], boxes)
    assert not np.any(np.all(dark == 255, axis=-1))
    for end in (0.0, 1.0):
        colour = np.array(image.get_cmap()(end)[:3]) * 255
        near = np.abs(dark - colour).max(axis=-1) < 2
        assert near.sum() > np.sum(np.abs(pixels[..., :3] - colour).max(axis=-1) < 2) * 0.9


def test_what_a_strangers_picture_says_of_its_images_breaks_nothing() -> None:
    from PIL.PngImagePlugin import PngInfo

    for text in ("[", "7", "[[1]]", '[["a", 0, 1, 1]]', "[[-9, 0, 10000000, 3]]", "[null]"):
        said, memory = PngInfo(), io.BytesIO()
        said.add_text("speckle-images", text)
        Image.fromarray(np.full((9, 9, 3), 255, np.uint8)).save(memory, "png", pnginfo=said)
        assert for_pages(memory.getvalue())[0]


def test_an_image_drawn_on_paper_turns_over_with_the_page() -> None:
    from speckle_core.figures import confusion

    figure = confusion(np.array([[9, 1], [0, 4]]), [2, 3])
    _, dark = for_pages(encode(figure))
    assert dark is not None
    for picture in (dark, light_and_dark(*raster(figure))[1]):
        shown = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")) / 255
        height, width, _ = shown.shape
        # The cell of a class that is never read so: paper.
        cell = shown[round(0.42 * height), round(0.35 * width)]
        assert np.allclose(cell, to_rgb(PAPER), atol=0.03)

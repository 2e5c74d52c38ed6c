import numpy as np
import pytest
from matplotlib.colors import LogNorm
from matplotlib.patches import Rectangle

from speckle_core import figures
from speckle_core.contracts.grid import KGrid
from speckle_core.errors import DataError


def test_intensity_is_on_a_log_scale_over_k_with_units(grid, squares, speckle):
    figure = figures.pattern(speckle(squares([[300, 400], [600, 700]], [60, 60])), grid)
    axes, bar = figure.axes
    assert isinstance(axes.images[0].norm, LogNorm)
    assert axes.get_xlabel() == "$k_x$ (1 / unit of length)"
    assert axes.get_ylabel() == "$k_y$ (1 / unit of length)"
    assert bar.get_ylabel() == "speckle intensity (area²)"


@pytest.mark.parametrize(
    ("grid", "low", "high"),
    [(KGrid.centered(5, 0.1), -0.25, 0.25), (KGrid.quadrant(5, 0.1), -0.05, 0.45)],
)
def test_a_pixel_is_centred_on_its_k(grid, low, high):
    axes = figures.pattern(np.ones((5, 5)), grid).axes[0]
    assert axes.images[0].get_extent() == pytest.approx((low, high, low, high))
    assert axes.images[0].origin == "lower"


def test_zeros_of_the_form_factor_do_not_set_the_range(grid):
    image = np.full(grid.shape, 100.0)
    image.flat[:20] = 1e-25
    image.flat[20:40] = 0.0
    norm = figures.pattern(image, grid).axes[0].images[0].norm
    assert norm.vmax == pytest.approx(100.0)
    assert norm.vmin == pytest.approx(10.0)


def test_zeros_take_the_lowest_colour_and_nan_stays_open(grid):
    image = np.full(grid.shape, 100.0)
    image[0, 0], image[1, 1] = 0.0, np.nan
    shown = figures.pattern(image, grid).axes[0].images[0]
    drawn = np.ma.masked_invalid(shown.get_array())
    assert drawn[0, 0] == shown.norm.vmin
    assert drawn.mask[1, 1]


@pytest.mark.parametrize("image", [np.zeros((33, 33)), np.full((33, 33), np.nan)])
def test_a_pattern_without_light_is_drawn_all_the_same(grid, image):
    assert figures.encode(figures.pattern(image, grid)).startswith(b"\x89PNG")


def test_the_beamstop_is_a_hatched_rectangle_over_its_pixels(grid):
    axes = figures.pattern(np.ones(grid.shape), grid, blocked=grid.block(11)).axes[0]
    (stop,) = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert stop.get_bbox().bounds == pytest.approx(
        (-5.5 * grid.step, -5.5 * grid.step, 11 * grid.step, 11 * grid.step)
    )
    assert stop.get_hatch()
    assert stop.get_label() == "beamstop"


def test_on_a_quadrant_the_beamstop_is_what_lies_on_the_grid():
    grid = KGrid.quadrant(33, 0.01)
    axes = figures.pattern(np.ones(grid.shape), grid, blocked=grid.block(11)).axes[0]
    assert axes.patches[0].get_bbox().bounds == pytest.approx((-0.005, -0.005, 0.06, 0.06))


def test_blocked_pixels_have_no_say_in_the_range(grid):
    image = np.ones(grid.shape)
    image[grid.block(11)] = 1e12
    shown = figures.pattern(image, grid, blocked=grid.block(11)).axes[0].images[0]
    assert shown.norm.vmax == pytest.approx(1.0)


@pytest.mark.parametrize("count", [1, 2, 5, 20])
def test_a_gallery_has_real_space_beside_k_space_for_each_system(items, grid, count):
    figure = figures.gallery(items(count), grid, blocked=grid.block(3))
    *panels, bar = figure.axes
    assert len(panels) == 2 * count
    assert [p.get_title(loc="left") for p in panels[::2]] == [
        f"({chr(ord('a') + i)})  n = {i + 2}" for i in range(count)
    ]
    assert all(p.images[0].get_extent()[1] == 1000.0 for p in panels[::2])
    assert all(isinstance(p.images[0].norm, LogNorm) for p in panels[1::2])
    assert len({(p.images[0].norm.vmin, p.images[0].norm.vmax) for p in panels[1::2]}) == 1
    assert all(p.patches[0].get_label() == "beamstop" for p in panels[1::2])
    assert bar.get_xlabel() == "speckle intensity (area²)"


def test_every_column_of_a_gallery_names_its_axes(items, grid):
    figure = figures.gallery(items(3), grid)
    named = [axes.get_xlabel() for axes in figure.axes]
    assert named.count("x (units of length)") == 2
    assert named.count("$k_x$ (1 / unit of length)") == 2


def test_an_empty_gallery_is_refused(grid):
    with pytest.raises(DataError, match="no systems"):
        figures.gallery([], grid)

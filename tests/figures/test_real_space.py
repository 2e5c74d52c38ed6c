import numpy as np
import pytest
from matplotlib.figure import Figure

from speckle_core import figures
from speckle_core.contracts.geometry import Configuration


def image_of(configuration, pixels=200):
    (axes,) = figures.real_space(configuration, pixels=pixels).axes[:1]
    return np.asarray(axes.images[0].get_array())


def test_the_drawn_area_is_the_bodies_area(squares):
    drawn = image_of(squares([[205, 305], [705, 605]], [100, 50])).sum() * (1000 / 200) ** 2
    assert drawn == pytest.approx(100**2 + 50**2, rel=1e-12)


def test_a_body_lies_at_its_x_and_y(squares):
    rows, columns = np.nonzero(image_of(squares([[205, 805]], [10])))
    assert set(rows) == {160, 161}
    assert set(columns) == {40, 41}


def test_a_density_is_asked_for_within_the_bounding_circle_only(squares):
    configuration = squares([[500, 500], [40, 980]], [100, 80])
    image_of(configuration)
    body = configuration.particles[0]
    assert {i for i, _ in body.asked} == {0, 1}
    for i, distances in body.asked:
        assert distances.size
        assert distances.max() <= body.bounding_radii[i]


def test_a_body_that_crosses_the_wall_is_cut_there(squares):
    assert image_of(squares([[0, 500]], [100])).sum() * 25 == pytest.approx(100**2 / 2)


def test_contrast_weighs_the_density_and_overlaps_add(squares):
    image = image_of(squares([[505, 505], [505, 505]], [100, 50], contrast=[2.0, -0.5]))
    assert set(np.unique(image)) == {0.0, 1.5, 2.0}


def test_a_negative_contrast_keeps_its_sign(squares):
    configuration = squares([[505, 505]], [100], contrast=[-1.0])
    assert image_of(configuration).min() == -1.0


def test_a_complex_contrast_is_drawn_by_its_magnitude(squares):
    image = image_of(squares([[505, 505]], [100], contrast=[3 + 4j]))
    assert set(np.unique(image)) == {0.0, 5.0}


def test_several_shapes_share_one_box(squares):
    one, other = squares([[205, 205]], [100]), squares([[705, 705]], [50])
    both = Configuration((*one.particles, *other.particles), 1000.0)
    np.testing.assert_array_equal(image_of(both), image_of(one) + image_of(other))


def test_axes_show_the_box_with_units(squares):
    axes = figures.real_space(squares([[500, 500]], [100], box=1234.0)).axes[0]
    assert axes.get_xlim() == (0.0, 1234.0)
    assert axes.get_ylim() == (0.0, 1234.0)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x (units of length)", "y (units of length)")


def test_densities_that_differ_get_a_colour_bar_and_equal_ones_none(squares):
    assert len(figures.real_space(squares([[500, 500]], [100])).axes) == 1
    graded = squares([[300, 300], [700, 700]], [100, 100], contrast=[1.0, 2.0])
    assert len(figures.real_space(graded).axes) == 2


def test_given_axes_are_drawn_on(squares):
    own = Figure()
    axes = own.subplots()
    assert figures.real_space(squares([[500, 500]], [100]), axes) is own
    assert len(axes.images) == 1


def test_an_empty_box_is_drawn_empty(squares):
    assert not image_of(squares(np.zeros((0, 2)), [])).any()

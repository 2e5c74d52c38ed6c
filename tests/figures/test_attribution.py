import numpy as np
import pytest

from speckle_core import figures
from speckle_core.analysis.attribution import Analysis
from speckle_core.analysis.deletion import DeletionCurve
from speckle_core.analysis.lattice import lattice_of

K = np.arange(5) * 0.1
NOTHING = np.full(5, np.nan)


@pytest.fixture
def analysis():
    """Three classes: one without a control, one seen whole, one without any pattern."""
    nan = np.nan
    return Analysis(
        classes=np.array([2, 5, 9]),
        k=K,
        intensity=np.array([[8.0, 4, 2, 1, 2], [9.0, 3, 1, 2, 1], NOTHING]),
        attribution=np.array([[0.5, 1, 1.5, nan, nan], [2.0, 1, 0.5, 0.5, 1], NOTHING]),
        control=np.array([NOTHING, [1.0, 1, 1, 1, 1], NOTHING]),
        zeros=np.array([[0.3, 0.35, 0.9], [0.2, nan, nan], [nan] * 3]),
        edge=np.array([0.3, 0.2, nan]),
        share=np.array([1.0, 0.6, nan]),
        area=np.array([0.7, 0.4, nan]),
        agreement=np.array([nan, 0.1, nan]),
        deletion=DeletionCurve(
            np.array([0.0, 0.25, 1]), np.array([1.0, 0.4, 0.5]), np.array([1.0, 0.9, 0.5])
        ),
        lattice=lattice_of(np.ones((9, 9)), None),
    )


def panels(figure):
    return [axes for axes in figure.axes if axes.get_title(loc="left")]


def lines(axes, label):
    return [line.get_ydata() for line in axes.lines if line.get_label() == label]


def upright(axes):
    return [
        line.get_xdata()[0] for line in axes.lines if len(set(np.atleast_1d(line.get_xdata()))) == 1
    ]


def test_every_class_has_its_maps_over_k_and_its_control_where_there_is_one(analysis):
    first, second = panels(figures.attribution_profiles(analysis, [2, 5]))
    assert [p.get_title(loc="left") for p in (first, second)] == ["(a)  n = 2", "(b)  n = 5"]
    np.testing.assert_array_equal(lines(first, "maps"), analysis.attribution[:1])
    np.testing.assert_array_equal(lines(second, "maps"), analysis.attribution[1:2])
    assert lines(first, "random weights") == []
    np.testing.assert_array_equal(lines(second, "random weights"), analysis.control[1:2])


def test_the_legend_names_a_control_that_only_a_later_class_has(analysis):
    (legend,) = figures.attribution_profiles(analysis, [2, 5]).legends
    assert [text.get_text() for text in legend.get_texts()] == ["maps", "random weights"]


def test_the_zeros_stand_at_their_k_as_far_as_the_grid_goes(analysis):
    first, second = panels(figures.attribution_profiles(analysis, [2, 5]))
    assert upright(first) == [0.3, 0.35]
    assert upright(second) == [0.2]


def test_a_deletion_curve_is_drawn_against_per_cent_of_the_pixels(analysis):
    (axes,) = figures.deletion(analysis.deletion).axes
    drawn = {line.get_label(): (line.get_xdata(), line.get_ydata()) for line in axes.lines}
    assert set(drawn) == {"most attributed first", "random pixels"}
    for x, _ in drawn.values():
        np.testing.assert_allclose(x, [0, 25, 100])
    np.testing.assert_allclose(drawn["most attributed first"][1], [1, 0.4, 0.5])
    np.testing.assert_allclose(drawn["random pixels"][1], [1, 0.9, 0.5])

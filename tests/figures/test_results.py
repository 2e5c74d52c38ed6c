import itertools

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.patches import Circle, RegularPolygon

from speckle_core import figures


def band_of(axes):
    (band,) = [c for c in axes.collections if isinstance(c, LineCollection)]
    return {tuple(sorted(map(tuple, segment))) for segment in np.array(band.get_segments())}


def test_the_green_line_runs_one_particle_off_the_diagonal():
    axes = figures.confusion(np.eye(3, dtype=int), [2, 3, 4]).axes[0]
    # Of three consecutive classes only the corners [2, 4] and [4, 2] are off by more than one.
    assert band_of(axes) == {
        ((1.5, -0.5), (1.5, 0.5)),
        ((1.5, 0.5), (2.5, 0.5)),
        ((0.5, 1.5), (0.5, 2.5)),
        ((-0.5, 1.5), (0.5, 1.5)),
    }


def test_the_band_goes_by_class_value_and_not_by_column():
    axes = figures.confusion(np.eye(3, dtype=int), [2, 3, 7]).axes[0]
    # 2 and 3 are neighbours; 7 stands alone.
    assert band_of(axes) == {
        ((1.5, -0.5), (1.5, 0.5)),
        ((1.5, 0.5), (1.5, 1.5)),
        ((1.5, 1.5), (1.5, 2.5)),
        ((-0.5, 1.5), (0.5, 1.5)),
        ((0.5, 1.5), (1.5, 1.5)),
        ((1.5, 1.5), (2.5, 1.5)),
    }


def test_errors_are_ringed_by_how_far_off_they_are():
    matrix = np.diag([9, 9, 9, 9])
    matrix[0, 1], matrix[1, 0], matrix[0, 2], matrix[3, 1] = 4, 1, 2, 3
    figure = figures.confusion(matrix, [2, 3, 4, 8])
    axes = figure.axes[0]
    circles = [p for p in axes.patches if isinstance(p, Circle)]
    diamonds = [p for p in axes.patches if isinstance(p, RegularPolygon)]
    # (column, row): true 2 read as 4 is off by 2; true 8 read as 3 is off by 5.
    assert [tuple(c.center) for c in circles] == [(2, 0)]
    assert [tuple(d.xy) for d in diamonds] == [(1, 3)]
    assert [t.get_text() for t in figure.legends[0].get_texts()] == [
        "within ±1 (off by 1: 5)",
        "off by 2: 2",
        "off by more: 3",
    ]


def test_marks_differ_without_colour():
    axes = figures.confusion([[5, 0, 1, 1], *np.eye(4, dtype=int)[1:]], [1, 2, 3, 4]).axes[0]
    circle, diamond = axes.patches
    assert type(circle) is not type(diamond)
    assert circle.get_linestyle() != diamond.get_linestyle()


def test_counts_stand_in_their_cells_and_zeros_do_not():
    axes = figures.confusion([[30, 2], [0, 1000]], [2, 3]).axes[0]
    assert {t.get_position(): t.get_text() for t in axes.texts} == {
        (0, 0): "30",
        (1, 0): "2",
        (1, 1): "1000",
    }


@pytest.mark.parametrize("size", [2, 19, 40])
def test_numbers_fit_their_cells(size):
    matrix = np.full((size, size), 1000)
    figure = figures.confusion(matrix, np.arange(2, size + 2))
    figure.draw_without_rendering()
    axes = figure.axes[0]
    cell = axes.get_window_extent().width / size
    widest = max(t.get_window_extent().width for t in axes.texts)
    assert widest < cell
    assert [t.get_text() for t in axes.get_xticklabels()] == [str(n) for n in range(2, size + 2)]
    labels = [t.get_window_extent() for t in axes.get_xticklabels()]
    assert all(a.x1 < b.x0 for a, b in itertools.pairwise(labels))


def test_a_class_without_test_patterns_is_drawn_empty():
    axes = figures.confusion([[0, 0], [1, 3]], [2, 3]).axes[0]
    np.testing.assert_allclose(axes.images[0].get_array(), [[0, 0], [0.25, 0.75]])


def test_rows_are_true_and_columns_predicted():
    axes = figures.confusion(np.eye(2, dtype=int), [2, 3]).axes[0]
    assert axes.get_xlabel() == "predicted number of particles"
    assert axes.get_ylabel() == "true number of particles"


def test_bars_carry_accuracy_and_interval_in_the_order_given():
    results = {"net": (0.9, 0.85, 0.94), "radial-lda": (1.0, 0.98, 1.0)}
    axes = figures.accuracy_bars(results, chance=0.1).axes[0]
    assert [bar.get_width() for bar in axes.patches] == [0.9, 1.0]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["net", "radial-lda"]
    whiskers = [s for c in axes.collections for s in c.get_segments()]
    assert [(s[0][0], s[1][0]) for s in whiskers] == [
        pytest.approx((0.85, 0.94)),
        pytest.approx((0.98, 1.0)),
    ]
    assert {"0.900", "1.000", "chance"} <= {t.get_text() for t in axes.texts}
    assert axes.yaxis_inverted()


def test_an_interval_that_rounding_pushed_past_the_accuracy_is_no_error():
    figures.encode(figures.accuracy_bars({"net": (1.0, 0.98, 1.0 - 1e-16)}))

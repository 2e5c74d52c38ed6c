import numpy as np
import pytest

from speckle_core import figures
from speckle_core.errors import DataError


@pytest.fixture
def panel(grid):
    rng = np.random.default_rng(2)
    seen = rng.exponential(size=grid.shape)

    def make(explanation=None, **options):
        given = rng.random(grid.shape) if explanation is None else explanation
        return figures.explanation_panel(
            (seen - seen.mean()) / seen.std(),
            given,
            [0.1, 0.7, 0.2],
            [4, 6, 9],
            grid=grid,
            **options,
        )

    return make


def drawn(figure):
    return [axes for axes in figure.axes if axes.get_title(loc="left")]


def test_four_panels_show_pattern_map_overlay_and_answer(panel):
    figure = panel(title="saliency")
    assert [axes.get_title(loc="left") for axes in drawn(figure)] == [
        "(a)  pattern",
        "(b)  map",
        "(c)  map over pattern",
        "(d)  answer",
    ]
    assert figure.get_suptitle() == "saliency"


def test_a_standardized_pattern_is_shown_above_its_minimum(panel):
    image = drawn(panel())[0].images[0]
    assert image.norm.vmin > 0
    assert np.asarray(image.get_array()).min() == pytest.approx(image.norm.vmin)


def test_a_map_without_negative_values_starts_at_zero_and_a_signed_one_is_balanced(panel, grid):
    plain = drawn(panel())[1].images[0].norm
    assert plain.vmin == 0
    signed = drawn(panel(np.random.default_rng(3).normal(size=grid.shape)))[1].images[0].norm
    assert signed.vmin == -signed.vmax


def test_a_map_of_zeros_is_drawn(panel, grid):
    assert figures.encode(panel(np.zeros(grid.shape))).startswith(b"\x89PNG")


def test_the_overlay_is_clear_where_the_map_is_zero(panel, grid):
    one = np.zeros(grid.shape)
    one[3, 4] = 1.0
    below, above = drawn(panel(one))[2].images
    alpha = above.get_alpha()
    assert alpha[3, 4] > 0.5
    assert np.count_nonzero(alpha) == 1
    assert below.get_array().shape == grid.shape


def test_bars_are_the_probabilities_with_the_explained_class_hatched_and_the_true_one_marked(panel):
    answer = drawn(panel(target=6, truth=9))[3]
    assert [bar.get_height() for bar in answer.patches[:3]] == [0.1, 0.7, 0.2]
    (hatched,) = [bar for bar in answer.patches if bar.get_hatch()]
    assert hatched.get_height() == 0.7
    assert answer.lines[0].get_xdata().tolist() == [2]
    assert [t.get_text() for t in answer.get_xticklabels()] == ["4", "6", "9"]


def test_the_beamstop_lies_over_all_three_pictures(panel, grid):
    for axes in drawn(panel(blocked=grid.block(5)))[:3]:
        assert [patch.get_label() for patch in axes.patches] == ["beamstop"]


def test_a_page_of_maps_has_three_pictures_a_pattern_and_names_a_wrong_reading(grid):
    random = np.random.default_rng(4)
    seen, found = random.exponential(size=(2, 3, *grid.shape))
    figure = figures.map_page(seen, found, [2, 3, 5], [2, 3, 6], grid=grid, title="saliency")
    assert len(figure.axes) == 9
    assert [axes.get_title(loc="left") for axes in figure.axes[::3]] == [
        "n = 2",
        "n = 3",
        "n = 5, explained: 6",
    ]
    np.testing.assert_array_equal(figure.axes[4].images[0].get_array(), found[1])
    assert len(figure.axes[5].images) == 2


def test_a_page_without_maps_is_refused(grid):
    nothing = np.zeros((0, *grid.shape))
    with pytest.raises(DataError, match="no maps"):
        figures.map_page(nothing, nothing, [], [], grid=grid)

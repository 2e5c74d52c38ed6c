import attrs
import numpy as np
import pytest

from speckle_core import figures
from speckle_core.errors import DataError


def test_training_and_validation_differ_in_dash_and_marker(history):
    loss, accuracy, rate = figures.training_curves(history(5)).axes
    for axes in (loss, accuracy):
        train, valid = axes.lines
        assert (train.get_label(), valid.get_label()) == ("training", "validation")
        assert train.get_linestyle() != valid.get_linestyle()
        assert train.get_marker() != valid.get_marker()
    np.testing.assert_allclose(loss.lines[0].get_ydata(), 2.0 / np.arange(1, 6))
    np.testing.assert_allclose(accuracy.lines[1].get_ydata(), 0.9 - 0.5 / np.arange(1, 6))
    assert rate.get_title(loc="left") == "learning rate"


def test_without_validation_its_curve_is_left_out(history):
    for axes in figures.training_curves(history(5, valid=False)).axes[:2]:
        assert [line.get_label() for line in axes.lines] == ["training"]


def test_one_epoch_is_a_visible_point_at_a_whole_number(history):
    figure = figures.training_curves(history(1))
    figures.encode(figure)
    for axes in figure.axes:
        assert axes.lines[0].get_marker() not in ("", "None")
        assert [float(t) for t in axes.get_xticks() if 0.3 < t < 1.7] == [1.0]


def test_a_loss_that_diverges_to_nan_is_drawn(history):
    broken = [attrs.evolve(e, loss=float("nan"), valid_loss=float("nan")) for e in history(3)]
    assert figures.encode(figures.training_curves(broken)).startswith(b"\x89PNG")


def test_a_loss_over_decades_is_on_a_log_scale_and_one_with_zeros_is_not(history):
    wide = [attrs.evolve(e, loss=10.0**-e.number) for e in history(4)]
    assert figures.training_curves(wide).axes[0].get_yscale() == "log"
    zero = [attrs.evolve(e, loss=0.0) for e in history(4)]
    assert figures.training_curves(zero).axes[0].get_yscale() == "linear"


def test_an_empty_history_is_refused():
    with pytest.raises(DataError, match="no epochs"):
        figures.training_curves([])


def test_profiles_are_drawn_over_k_with_gaps_where_there_is_no_light():
    k = np.linspace(0, 0.2, 5)
    profiles = {3: np.array([9.0, 4, 0, 1, 2]), 2: np.array([8.0, 4, 2, 1, np.nan])}
    figure = figures.azimuthal_profiles(profiles, k)
    (axes,) = figure.axes
    assert axes.get_yscale() == "log"
    assert [line.get_label() for line in axes.lines] == ["2", "3"]
    np.testing.assert_array_equal(axes.lines[1].get_xdata(), k)
    assert np.isnan(axes.lines[1].get_ydata()).tolist() == [False, False, True, False, False]
    assert axes.lines[0].get_linestyle() != axes.lines[1].get_linestyle()
    assert axes.get_xlabel() == "k (1 / unit of length)"


def test_first_moments_make_the_paper_s_eight_panels():
    counts = np.repeat([2, 3, 4], 10)
    values = np.tile(np.arange(10.0), 3) + 10 * counts
    names = ("raw", "shifted", "absolute", "normalized")
    figure = figures.first_moment(counts, dict.fromkeys(names, values))
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert [t[:3] for t in titles] == ["(a)", "(b)", "(c)", "(d)", "(e)", "(f)", "(g)", "(h)"]
    assert titles[4] == "(e)  absolute: single patterns"
    scatter, mean = figure.axes[:2]
    drawn = np.asarray(scatter.collections[0].get_offsets())
    np.testing.assert_allclose(drawn, np.column_stack([counts, values]))
    assert mean.lines[0].get_ydata().tolist() == pytest.approx([24.5, 34.5, 44.5])
    # 0…9 have the sample variance 110/12, so the standard error of ten is sqrt(110/120).
    (whiskers,) = mean.collections
    low, high = whiskers.get_segments()[0][:, 1]
    assert (high - low) / 2 == pytest.approx(np.sqrt(110 / 120))
    assert scatter.get_ylabel() == "first moment\n(pixels)"


def test_one_pattern_per_number_has_a_mean_without_whiskers():
    figure = figures.first_moment([2, 3], {"raw": np.array([1.0, 2.0])})
    assert figures.encode(figure).startswith(b"\x89PNG")


def test_published_means_stand_beside_ours_in_their_own_panel():
    values = np.array([1.0, 2.0])
    figure = figures.first_moment(
        [2, 3], {"raw": values, "normalized": values}, published={"raw": {2: 1.1, 3: 1.9, 4: 2.5}}
    )
    drawn = [
        [
            (line.get_xdata(), line.get_ydata())
            for line in axes.lines
            if line.get_label() == "published"
        ]
        for axes in figure.axes
    ]
    assert [len(found) for found in drawn] == [0, 1, 0, 0]
    ((x, y),) = drawn[1]
    assert (list(x), list(y)) == ([2, 3, 4], [1.1, 1.9, 2.5])
    assert [text.get_text() for text in figure.axes[1].get_legend().get_texts()] == [
        "published",
        "here",
    ]
    assert figure.axes[3].get_legend() is None

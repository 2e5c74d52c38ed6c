import attrs
import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from speckle_core.analysis.value_evaluation import (
    ValueEvaluation,
    compare_values,
    spell_with_interval,
    value_sentences,
)
from speckle_core.errors import DataError

RNG = np.random.default_rng(0)
TRUTH = RNG.uniform(50, 90, 40)


def made(error, half=3.0):
    found = TRUTH + error * RNG.normal(size=40)
    ends = np.stack([found - half, found + half], axis=1)
    return ValueEvaluation("mean-radius", 0.9, np.resize([2, 3], 40), TRUTH, found, ends)


def test_metrics_are_those_of_scikit_learn():
    one = made(2.0)
    assert one.mean_absolute_error == pytest.approx(mean_absolute_error(TRUTH, one.predicted))
    assert one.root_mean_square_error == pytest.approx(
        root_mean_squared_error(TRUTH, one.predicted)
    )
    assert one.explained == pytest.approx(r2_score(TRUTH, one.predicted))
    assert one.covered == np.mean(np.abs(one.errors) <= 3)
    assert one.mean_width == pytest.approx(6)
    parts = one.by_number()
    assert sum(len(part) for part in parts.values()) == 40
    mean = np.mean([part.mean_absolute_error for part in parts.values()])
    assert mean == pytest.approx(one.mean_absolute_error)


@pytest.mark.parametrize("half", [3.0, np.inf])
def test_a_saved_evaluation_is_read_again(tmp_path, half):
    one = made(2.0, half)
    one.save(tmp_path)
    again = ValueEvaluation.load(tmp_path)
    for name in ("labels", "truth", "predicted", "intervals"):
        np.testing.assert_array_equal(getattr(again, name), getattr(one, name))
    assert again.to_dict() == one.to_dict()
    assert (one.to_dict()["covered"] is None) == np.isinf(half)


def test_a_changed_prediction_is_noticed(tmp_path):
    made(2.0).save(tmp_path)
    table = tmp_path / "predictions.csv"
    table.write_text(table.read_text().replace("\n1,3,", "\n1,2,"))
    with pytest.raises(DataError, match="not a complete evaluation"):
        ValueEvaluation.load(tmp_path)


def test_the_verdict_compares_absolute_errors_in_pairs():
    good, bad = made(1.0), made(8.0)
    assert "less than the best baseline, rule" in compare_values({"net": good, "rule": bad})
    assert "more than the best baseline, rule" in compare_values({"net": bad, "rule": good})
    assert "does not differ significantly" in compare_values({"net": good, "rule": made(1.02)})
    assert "mean radius" in compare_values({"net": good})


def test_intervals_are_told_in_words_where_there_are_some():
    (told,) = value_sentences(made(1.0))
    assert "90 %" in told
    assert "too few" in value_sentences(made(1.0, np.inf))[0]


@pytest.mark.parametrize(
    ("value", "low", "high", "said"),
    [
        (0.3141, 0.28, 0.35, "0.314 [0.280, 0.350]"),
        (61.27, 57.94, 64.41, "61.3 [57.9, 64.4]"),
        (61.27, -np.inf, np.inf, "61.3"),
    ],
)
def test_a_value_has_the_digits_that_its_interval_warrants(value, low, high, said):
    assert spell_with_interval(value, low, high) == said


def test_the_unit_is_said_once_in_a_sentence_and_only_of_lengths():
    told = compare_values({"net": made(1.0), "rule": made(8.0)})
    assert told.count("unit of length of the box") == 1
    assert " length," not in told
    shares = [attrs.evolve(one, quantity="coverage") for one in (made(1.0), made(8.0))]
    assert "length" not in compare_values(dict(zip("ab", shares, strict=True)))


def test_values_that_differ_by_rounding_alone_have_no_variance_to_explain():
    ends = np.stack([TRUTH, TRUTH], axis=1)
    truth = 0.0127 * (1 + 1e-15 * RNG.integers(0, 3, 40))
    one = ValueEvaluation("coverage", 0.9, np.resize([2, 3], 40), truth, TRUTH, ends)
    assert np.var(truth) > 0
    assert one.explained is None

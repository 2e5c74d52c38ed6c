import json

import attrs
import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from speckle_core import DataError
from speckle_core.analysis.evaluation import Evaluation

CLASSES = [2, 3, 4, 7]


@pytest.fixture
def reading():
    rng = np.random.default_rng(5)
    labels = rng.choice(CLASSES, 200)
    probabilities = rng.dirichlet(np.ones(4), 200)
    probabilities[np.arange(200), np.searchsorted(CLASSES, labels)] += 0.7
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    predicted = np.array(CLASSES)[probabilities.argmax(axis=1)]
    return Evaluation(CLASSES, labels, predicted, probabilities)


def right_and_wrong(right, wrong, where=0):
    labels = np.full(right + wrong, 5)
    predicted = labels.copy()
    predicted[where : where + wrong] = 6
    return Evaluation([5, 6], labels, predicted)


def test_the_numbers_are_scikit_learns(reading):
    given = (reading.labels, reading.predicted)
    assert 0 < reading.off_by_more_than(0) < 100
    assert np.array_equal(reading.confusion, metrics.confusion_matrix(*given, labels=CLASSES))
    assert reading.accuracy == pytest.approx(metrics.accuracy_score(*given))
    assert reading.log_loss == pytest.approx(metrics.log_loss(given[0], reading.probabilities))
    assert reading.macro()["f1"] == pytest.approx(metrics.f1_score(*given, average="macro"))
    report = metrics.classification_report(*given, output_dict=True)
    assert reading.per_class().recall[3] == pytest.approx(report["7"]["recall"])
    assert reading.per_class().support[3] == report["7"]["support"]


def test_the_record_has_scikit_learns_numbers_and_none_where_there_is_none(reading, tmp_path):
    Evaluation([1, *CLASSES], reading.labels, reading.predicted).save(tmp_path)
    record = json.loads((tmp_path / "metrics.json").read_text())
    given = (reading.labels, reading.predicted)
    report = metrics.classification_report(*given, output_dict=True)
    rows = {row.pop("class"): row for row in record["per_class"]}
    assert rows.pop(1) == {"precision": 0.0, "recall": None, "f1": None, "support": 0}
    for value, row in rows.items():
        expected = report[str(value)]
        expected["f1"] = expected.pop("f1-score")
        assert row == pytest.approx(expected)
    assert record["mean_absolute_error"] == pytest.approx(metrics.mean_absolute_error(*given))
    matrix = metrics.confusion_matrix(*given, labels=[1, *CLASSES])
    assert record["confusion"] == matrix.tolist()
    for name, most in (("accuracy", 0), ("within_1", 1), ("within_2", 2)):
        right = int((np.abs(reading.labels - reading.predicted) <= most).sum())
        wilson = stats.binomtest(right, len(reading)).proportion_ci(method="wilson")
        assert record[name]["value"] == right / len(reading)
        assert record[name]["interval"] == pytest.approx(list(wilson))
        if most:
            assert record[f"off_by_more_than_{most}"] == len(reading) - right


def test_within_counts_particles_and_not_columns():
    reading = Evaluation([2, 3, 4, 7], [2, 2, 4, 4, 7], [2, 3, 7, 4, 4])
    assert [reading.within(k) for k in (0, 1, 2, 3)] == [0.4, 0.6, 0.6, 1.0]
    assert [reading.off_by_more_than(k) for k in (0, 2, 3)] == [3, 2, 0]


def test_the_intervals_are_of_this_many_patterns():
    reading = right_and_wrong(10, 0)
    assert reading.accuracy_interval == pytest.approx((0.7225, 1.0), abs=5e-5)


def test_a_class_that_does_not_occur_counts_nothing_in_the_macro_average():
    reading = Evaluation([2, 3, 4], [2, 2, 3, 3], [2, 2, 3, 2])
    assert reading.per_class().recall.tolist() == [1.0, 0.5, 0.0]
    assert reading.macro()["recall"] == pytest.approx(0.75)


def test_a_certain_error_has_a_finite_loss():
    assert np.isfinite(Evaluation([2, 3], [2], [3], [[0.0, 1.0]]).log_loss)
    assert Evaluation([2, 3], [2], [3]).log_loss is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (([2, 3], [], []), "no pattern"),
        (([3, 2], [2], [2]), "not ascending"),
        (([2, 3], [2, 3], [2]), "2 labels but 1 predictions"),
        (([2, 3], [2, 4], [2, 3]), r"labels \[4\] are not among the classes .* \(2…3\)"),
        (([2, 3], [2, 3], [2, 5]), r"predictions \[5\]"),
        (([2, 3], [2], [2], [[1.0, 0.0, 0.0]]), r"shape \(1, 3\), not \(1, 2\)"),
    ],
)
def test_what_does_not_fit_together_is_refused(arguments, said):
    with pytest.raises(DataError, match=said):
        Evaluation(*arguments)


@pytest.mark.parametrize("with_probabilities", [True, False])
def test_what_was_saved_is_loaded_bit_by_bit(reading, tmp_path, with_probabilities):
    if not with_probabilities:
        reading = attrs.evolve(reading, probabilities=None)
    reading.save(tmp_path / "evaluation")
    again = Evaluation.load(tmp_path / "evaluation")
    for name in ("classes", "labels", "predicted", "probabilities"):
        assert np.array_equal(getattr(again, name), getattr(reading, name))
    assert again.to_dict() == reading.to_dict()
    written = json.loads((tmp_path / "evaluation" / "metrics.json").read_text())
    assert written.pop("checksum").startswith("sha256:")
    assert list(written.pop("files")) == ["predictions.csv"]
    assert written == reading.to_dict()


def test_what_a_killed_process_left_beside_it_is_removed(reading, tmp_path):
    (tmp_path / ".unfinished-x").write_text("half")
    reading.save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"metrics.json", "predictions.csv"}


def test_the_predictions_can_be_read_as_a_table(tmp_path):
    Evaluation([2, 3], [2, 3], [2, 2], [[0.75, 0.25], [0.5, 0.5]]).save(tmp_path)
    assert (tmp_path / "predictions.csv").read_text() == (
        "index,label,predicted,p_2,p_3\n0,2,2,0.75,0.25\n1,3,2,0.5,0.5\n"
    )


@pytest.mark.parametrize("name", ["metrics.json", "predictions.csv"])
@pytest.mark.parametrize("damage", ["missing", "cut", "noise", "of another reading"])
def test_a_damaged_evaluation_is_refused(reading, tmp_path, name, damage):
    reading.save(tmp_path)
    file = tmp_path / name
    if damage == "missing":
        file.unlink()
    elif damage == "cut":
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    elif damage == "noise":
        file.write_bytes(bytes(range(256)))
    else:
        shifted = attrs.evolve(reading, predicted=np.roll(reading.predicted, 1))
        shifted.save(tmp_path / "other")
        file.write_bytes((tmp_path / "other" / name).read_bytes())
    with pytest.raises(DataError, match="not a complete evaluation"):
        Evaluation.load(tmp_path)


def test_a_sample_comes_back_from_disk_with_its_places(tmp_path):
    sample = Evaluation([2, 3], [2, 3, 3], [2, 3, 2], places=[4, 7, 31])
    sample.save(tmp_path)
    loaded = Evaluation.load(tmp_path)
    assert loaded.places.tolist() == [4, 7, 31]
    assert loaded.at(np.array([7, 31])).accuracy == 0.5
    with pytest.raises(DataError, match="not read"):
        loaded.at(np.array([5]))


@pytest.mark.parametrize("places", [[1, 2], [3, 2, 1]])
def test_places_are_one_for_each_pattern_ascending(places):
    with pytest.raises(DataError, match="places"):
        Evaluation([2, 3], [2, 3, 3], [2, 3, 2], places=places)


def test_a_part_of_an_evaluation_keeps_its_patterns_probabilities_and_places():
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7], [0.8, 0.2]])
    whole = Evaluation([2, 5], [2, 5, 2, 5], [2, 5, 5, 2], probabilities)
    sampled = Evaluation([2, 5], [2, 5, 2, 5], [2, 5, 5, 2], probabilities, [10, 20, 30, 40])
    for evaluation, places in ((whole, [1, 2]), (sampled, [20, 30])):
        part = evaluation.at(np.array(places))
        assert part.labels.tolist() == [5, 2]
        assert part.predicted.tolist() == [5, 5]
        assert part.classes.tolist() == [2, 5]
        assert part.places.tolist() == places
        np.testing.assert_array_equal(part.probabilities, probabilities[1:3])
    without = Evaluation([2, 5], [2, 5], [2, 5]).at(np.array([1]))
    assert without.probabilities is None


@pytest.mark.parametrize("places", [[4], [1, 99], [15]])
def test_a_part_that_was_not_read_is_refused(places):
    for known in (None, [0, 1, 20, 30]):
        evaluation = Evaluation([2, 5], [2, 5, 2, 5], [2, 5, 5, 2], None, known)
        with pytest.raises(DataError, match=r"^evaluation: some of these patterns"):
            evaluation.at(np.array(places))

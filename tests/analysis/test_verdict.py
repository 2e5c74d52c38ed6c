import numpy as np
import pytest

from speckle_core import DataError, KGrid, PluginError
from speckle_core.analysis.evaluation import Evaluation
from speckle_core.analysis.verdict import evaluate, verdict
from speckle_core.contracts.patterns import PatternSet
from tests.analysis.test_evaluation import right_and_wrong


class Reader:
    """Reads the class off the first pixel, which holds its column."""

    def __init__(self, classes, row=lambda column, count: np.eye(count)[column]):
        self.classes, self.row, self.sizes = np.array(classes), row, []

    def predict_proba(self, patterns):
        self.sizes.append(len(patterns))
        return np.array([self.row(int(p[0, 0]), len(self.classes)) for p in patterns])


def patterns_of(columns, labels):
    images = np.ones((len(columns), 3, 3), dtype=np.float32)
    images[:, 0, 0] = columns
    return PatternSet.from_arrays(images, labels, KGrid.centered(3, 1.0))


def test_a_solver_is_told_beside_the_rules_and_does_not_decide() -> None:
    rules = {"rule": right_and_wrong(150, 50), "solve": right_and_wrong(200, 0)}
    said = verdict(
        right_and_wrong(196, 4),
        rules,
        name="net",
        summaries={"rule": "a line", "solve": "the bodies found"},
        solvers=["solve"],
    )
    assert said.startswith("net classifies 0.980")
    assert "more than the best baseline, rule, a line (0.750" in said
    assert said.endswith("; solve, the bodies found, reads 1.000 [0.981, 1.000].")
    # Where nothing else is there to compare with, it decides.
    alone = {"solve": rules["solve"]}
    assert verdict(right_and_wrong(196, 4), alone, solvers=["solve"]) == verdict(
        right_and_wrong(196, 4), alone
    )


def test_every_pattern_is_read_once_in_batches():
    reader = Reader([2, 3, 9])
    found = evaluate(reader, patterns_of([0, 1, 2, 1, 0], [2, 3, 9, 3, 3]), batch_size=2)
    assert reader.sizes == [2, 2, 1]
    assert found.predicted.tolist() == [2, 3, 9, 3, 2]
    assert found.accuracy == 0.8


def test_a_classifier_may_know_more_classes_than_occur():
    found = evaluate(Reader([2, 3, 9]), patterns_of([0, 2], [2, 3]))
    assert found.classes.tolist() == [2, 3, 9]
    assert found.confusion.tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 0]]


def test_labels_that_the_classifier_does_not_know_are_refused_before_it_is_asked():
    reader = Reader([2, 3])
    with pytest.raises(DataError, match=r"labels \[9\]"):
        evaluate(reader, patterns_of([0, 1], [2, 9]))
    assert reader.sizes == []


def test_no_pattern_is_refused():
    with pytest.raises(DataError, match="no pattern"):
        evaluate(Reader([2, 3]), patterns_of([0], [2]).subset([]))


@pytest.mark.parametrize(
    "row",
    [
        lambda column, count: np.ones(count),
        lambda column, count: np.full(count, np.nan),
        lambda column, count: np.ones(count + 1) / (count + 1),
        lambda column, count: np.array([-1.0, 2.0]),
        lambda column, count: np.array(1.0),
    ],
)
def test_what_are_no_probabilities_is_the_plugins_fault(row):
    with pytest.raises(PluginError, match="sum to 1"):
        evaluate(Reader([2, 3], row), patterns_of([0, 1], [2, 3]))


def test_a_solved_task_needs_no_network():
    said = verdict(
        right_and_wrong(199, 1),
        {"first-moment": right_and_wrong(100, 100), "radial-lda": right_and_wrong(200, 0)},
        summaries={"radial-lda": "a linear rule on the azimuthal profile"},
    )
    assert said == (
        "radial-lda, a linear rule on the azimuthal profile, classifies 1.000 [0.981, 1.000] of "
        "the same test patterns correctly: this task does not need a network. "
        "The network classifies 0.995 [0.972, 0.999]."
    )


def test_a_gain_over_a_solved_task_is_still_reported():
    said = verdict(right_and_wrong(3000, 0), {"rule": right_and_wrong(2975, 25)})
    assert "does not need a network" in said
    assert "0.008 [0.005, 0.012] more" in said


def test_a_network_that_gains_is_reported_with_the_gain():
    rules = {"rule": right_and_wrong(100, 100), "worse": right_and_wrong(1, 199)}
    said = verdict(right_and_wrong(190, 10), rules)
    low, high = 0.38, 0.52  # of 200 patterns: 100 read by both, 90 by the network alone, 10 by none
    assert said.startswith(
        "The network classifies 0.950 [0.910, 0.973] of the test patterns correctly, 0.450 ["
    )
    told = [float(part) for part in said.split("0.450 [")[1].split("]")[0].split(", ")]
    assert told == pytest.approx([low, high], abs=0.01)
    assert said.endswith("more than the best baseline, rule (0.500 [0.431, 0.569]).")


def test_a_network_that_is_beaten_is_reported_as_such():
    said = verdict(right_and_wrong(100, 100), {"rule": right_and_wrong(190, 10)})
    assert said.startswith(
        "rule classifies 0.950 [0.910, 0.973] of the same test patterns correctly, 0.450 ["
    )
    told = [float(part) for part in said.split("0.450 [")[1].split("]")[0].split(", ")]
    assert told == pytest.approx([0.38, 0.52], abs=0.01)
    assert said.endswith("more than the network (0.500 [0.431, 0.569]).")


def test_a_task_is_solved_from_99_percent_on():
    solved = {
        reads: verdict(right_and_wrong(200, 0), {"rule": right_and_wrong(reads, 200 - reads)})
        for reads in (197, 198)
    }
    assert "does not need a network" in solved[198]
    assert "does not need a network" not in solved[197]


def test_two_classifiers_that_are_alike_do_not_differ_significantly():
    said = verdict(right_and_wrong(150, 50), {"rule": right_and_wrong(152, 48, where=100)})
    assert (
        "do not differ significantly on these 200 test patterns: the difference is -0.010 [-0."
        in said
    )


def test_without_a_baseline_nothing_is_claimed():
    assert "it is unknown" in verdict(right_and_wrong(10, 0), {})


def test_baselines_on_other_patterns_are_refused():
    with pytest.raises(DataError, match=r"rule: .*not evaluated on the same patterns"):
        verdict(right_and_wrong(10, 0), {"rule": right_and_wrong(11, 0)})


class SlowReader(Reader):
    """Reads as `Reader` does, and asks for few patterns."""

    sample_size = 20


def test_a_classifier_that_takes_long_is_given_a_sample_drawn_once_and_for_all():
    columns = np.arange(100) % 2
    patterns = patterns_of(columns, 2 + columns)
    first, second = (evaluate(SlowReader([2, 3]), patterns) for _ in range(2))
    assert len(first) == 20
    assert first.places.tolist() == second.places.tolist() == sorted(set(first.places.tolist()))
    assert first.places.max() > 50
    assert first.labels.tolist() == patterns.labels[first.places].tolist()
    assert first.accuracy == 1.0
    assert evaluate(SlowReader([2, 3]), patterns.subset(range(20))).places is None


def test_a_sample_is_compared_on_its_own_patterns_alone():
    """Where the sample was drawn the network errs in 5 of 20; elsewhere it errs never."""
    columns = np.arange(100) % 2
    patterns = patterns_of(columns, 2 + columns)
    slow = evaluate(SlowReader([2, 3]), patterns)
    wrong = columns.copy()
    wrong[slow.places[:5]] = 1 - wrong[slow.places[:5]]
    network = evaluate(Reader([2, 3]), patterns_of(wrong, 2 + columns))
    said = verdict(network, {"slow": slow})
    assert "slow classifies 1.000" in said
    assert "20 of the same test patterns, drawn at random" in said
    assert "The network classifies 0.750" in said
    swapped = verdict(slow, {"network": network})
    assert "The network classifies 1.000" in swapped
    assert "network (0.750" in swapped


def test_a_sample_of_other_patterns_is_refused():
    columns = np.arange(100) % 2
    slow = evaluate(SlowReader([2, 3]), patterns_of(columns, 2 + columns))
    other = evaluate(Reader([2, 3]), patterns_of(columns[::-1], 2 + columns[::-1]))
    with pytest.raises(DataError, match="not evaluated on the same patterns"):
        verdict(other, {"slow": slow})


def test_a_classifier_that_is_no_network_is_called_by_its_name():
    cases = ((199, 200), (190, 100), (100, 190), (150, 152))
    for own, other in cases:
        rules = {"radial-lda-baseline": right_and_wrong(other, 200 - other)}
        said = verdict(right_and_wrong(own, 200 - own), rules, name="radial-lda")
        assert "he network" not in said
        assert "radial-lda" in said.replace("radial-lda-baseline", "")


def test_labels_that_a_classifier_does_not_know_are_listed_whole():
    labels = list(range(2, 12))
    with pytest.raises(DataError) as fault:
        evaluate(
            Reader([2, 3], lambda column, count: np.ones(count) / count),
            patterns_of(list(range(10)), labels),
        )
    assert str(labels[2:]) in str(fault.value)


@pytest.mark.parametrize("swap", [False, True])
def test_readings_of_different_samples_are_compared_on_the_patterns_in_common(swap):
    # Of patterns 0 … 399 one reads 0 … 299, the other 100 … 399; 100 … 299 are common.
    network, rule = right_and_wrong(350, 50), right_and_wrong(150, 250)
    first, last = np.arange(300), np.arange(100, 400)
    if swap:
        first, last = last, first
    common = np.arange(100, 300)
    said = verdict(network.at(first), {"rule": rule.at(last)})
    assert said == verdict(network.at(common), {"rule": rule.at(common)})
    assert "1.000 [" in said  # the network's errors are all among the others
    assert said == verdict(network, {"rule": rule.at(common)})


def test_the_same_places_of_other_patterns_are_refused():
    network = right_and_wrong(10, 0).at(np.arange(4))
    shifted = Evaluation([5, 6], [6, 6, 6, 6], [6, 6, 6, 6], None, np.arange(4))
    with pytest.raises(DataError, match=r"rule: .*same patterns"):
        verdict(network, {"rule": shifted})

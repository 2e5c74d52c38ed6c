"""What the pages show of the baselines is in their predictions."""

import numpy as np
import pytest

from tests.paper.results import RESULTS, cells, confusion, floats, rows, wilson

SETS = (
    "paper-mono-257",
    "paper-poly-257",
    "paper-poly-257-shared-sizes",
    "fixed-radius-257",
)
SEEDS = ("", "20221116", "20221117")
CODED = (
    "authors-poly-65-seed-20221115",
    "authors-poly-65-seed-20221116",
    "authors-poly-65-seed-20221117",
    "authors-poly-65-sizes-1",
    "authors-poly-65-sizes-2",
    "authors-poly-129",
    "authors-poly-257",
)


def check(shown, column, name):
    read = rows(RESULTS / "baselines" / name / "predictions.csv")
    assert len(read) == 1900
    assert {row[0] for row in shown} == set(read[0]) - {"label"}
    for baseline, *values in shown:
        right = np.mean([row["label"] == row[baseline] for row in read])
        value, low, high = floats(values[column])
        assert value == pytest.approx(right, abs=0.00051)
        assert [low, high] == pytest.approx(wilson(right, len(read)), abs=0.00051)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_accuracies_of_the_baselines_are_those_of_the_predictions(table, seed):
    shown = cells(table(f"baselines {seed}".strip()))
    for column, name in enumerate(SETS):
        check(shown, column, f"{name}-seed-{seed}" if seed else name)


def test_so_are_those_as_coded(table):
    shown = cells(table("baselines-as-coded"))
    for column, name in enumerate(CODED):
        check(shown, column, name)


def test_one_accuracy_in_the_text_is_that_of_the_table(table, number):
    (lda,) = (row for row in cells(table("baselines")) if row[0] == "radial-lda")
    assert number("baseline paper-poly-257 radial-lda") == lda[2][:5]


def test_the_baselines_of_the_seeds_differ_by_at_most_the_number_given(table, number):
    shown = [cells(table(f"baselines {seed}".strip())) for seed in SEEDS]
    shares = np.array([[[float(c[:5]) for c in row[1:]] for row in one] for one in shown])
    told = float(number("seed-spread"))
    assert told - 0.01 < np.ptp(shares, axis=0).max() <= told


def test_the_other_scores_are_those_of_the_predictions(table):
    from sklearn.metrics import f1_score

    for column, name in enumerate(SETS):
        read = rows(RESULTS / "baselines" / name / "predictions.csv")
        labels = np.array([int(row["label"]) for row in read])
        for baseline, *values in cells(table("baseline-scores")):
            predicted = np.array([int(row[baseline]) for row in read])
            f1, within = floats(values[column])
            macro = f1_score(labels, predicted, average="macro", zero_division=0)
            assert f1 == pytest.approx(macro, abs=0.00051)
            assert within == pytest.approx(np.mean(abs(labels - predicted) <= 1), abs=0.00051)


def test_radial_lda_reads_the_larger_patterns_that_the_network_does_not(number):
    counted = confusion("figure4-radial-lda")
    wrong = counted.sum() - np.trace(counted)
    assert int(number("errors figure4-radial-lda")) == wrong < int(number("errors figure4"))

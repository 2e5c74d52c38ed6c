"""What docs/paper.md tells of the baselines is in their predictions."""

import re

import numpy as np
import pytest
from results import RESULTS, confusion, rows, table_after, wilson

SETS = (
    "paper-mono-257",
    "paper-poly-257",
    "paper-poly-257-shared-sizes",
    "fixed-radius-257",
)


@pytest.mark.parametrize("column", range(len(SETS)))
def test_the_baselines_on_the_page_are_those_of_the_predictions(page, column):
    folder = RESULTS / "baselines" / SETS[column]
    read = rows(folder / "predictions.csv")
    assert len(read) == 1900
    shown = table_after(page, "| baseline | monodisperse |")
    assert {row[0] for row in shown} == set(read[0]) - {"label"}
    for name, *cells in shown:
        right = np.mean([row["label"] == row[name] for row in read])
        value, low, high = map(float, re.findall(r"[\d.]+", cells[column]))
        assert value == pytest.approx(right, abs=0.00051)
        assert [low, high] == pytest.approx(wilson(right, len(read)), abs=0.00051)


@pytest.mark.parametrize("column", range(len(SETS)))
def test_the_other_scores_on_the_page_are_those_of_the_predictions(page, column):
    from sklearn.metrics import f1_score

    read = rows(RESULTS / "baselines" / SETS[column] / "predictions.csv")
    labels = np.array([int(row["label"]) for row in read])
    for name, *cells in table_after(page, "| macro-F1, within ±1 | monodisperse |"):
        predicted = np.array([int(row[name]) for row in read])
        f1, within = map(float, re.findall(r"[\d.]+", cells[column]))
        macro = f1_score(labels, predicted, average="macro", zero_division=0)
        assert f1 == pytest.approx(macro, abs=0.00051)
        assert within == pytest.approx(np.mean(abs(labels - predicted) <= 1), abs=0.00051)


def test_radial_lda_reads_the_larger_patterns_that_the_network_does_not(page):
    counted = confusion("figure4-radial-lda")
    (told,) = re.findall(r"logarithms of a profile, leaves (\d+) at 513²", page)
    assert int(told) == counted.sum() - np.trace(counted)

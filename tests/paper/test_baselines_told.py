"""What docs/paper.md tells of the baselines is in their predictions."""

import re

import numpy as np
import pytest

from tests.paper.results import RESULTS, confusion, rows, table_after, wilson

SETS = (
    "paper-mono-257",
    "paper-poly-257",
    "paper-poly-257-shared-sizes",
    "fixed-radius-257",
)

#: How the tables of the three seeds begin.
SEEDS = ("baseline", "seed 20221116", "seed 20221117")


def check(shown, column, name):
    read = rows(RESULTS / "baselines" / name / "predictions.csv")
    assert len(read) == 1900
    assert {row[0] for row in shown} == set(read[0]) - {"label"}
    for baseline, *cells in shown:
        right = np.mean([row["label"] == row[baseline] for row in read])
        value, low, high = map(float, re.findall(r"[\d.]+", cells[column]))
        assert value == pytest.approx(right, abs=0.00051)
        assert [low, high] == pytest.approx(wilson(right, len(read)), abs=0.00051)


@pytest.mark.parametrize("column", range(len(SETS)))
def test_the_baselines_on_the_page_are_those_of_the_predictions(page, column):
    check(table_after(page, "| baseline | monodisperse |"), column, SETS[column])


@pytest.mark.parametrize("seed", SEEDS[1:])
@pytest.mark.parametrize("column", range(len(SETS)))
def test_so_are_those_of_the_other_seeds(page, column, seed):
    shown = table_after(page, f"| {seed} | monodisperse |")
    check(shown, column, f"{SETS[column]}-{seed.replace(' ', '-')}")


def test_between_the_seeds_the_baselines_differ_as_little_as_the_page_tells(page):
    shown = [table_after(page, f"| {first} | monodisperse |") for first in SEEDS]
    shares = np.array([[[float(cell[:5]) for cell in row[1:]] for row in table] for table in shown])
    (told,) = map(float, re.findall(r"no accuracy differs by more than ([\d.]+)", page))
    assert told - 0.01 < np.ptp(shares, axis=0).max() <= told


#: Columns of the table as coded, and the sets that they are of.
CODED = {
    "seed 20221115": "authors-poly-65-seed-20221115",
    "seed 20221116": "authors-poly-65-seed-20221116",
    "seed 20221117": "authors-poly-65-seed-20221117",
    "sizes 1": "authors-poly-65-sizes-1",
    "sizes 2": "authors-poly-65-sizes-2",
    "every second pixel": "authors-poly-129",
    "every pixel": "authors-poly-257",
}


@pytest.mark.parametrize("column", CODED)
def test_as_coded_the_baselines_read_what_the_page_tells(page, column):
    shown = table_after(page, f"| as coded | {' | '.join(CODED)} |")
    check(shown, list(CODED).index(column), CODED[column])


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

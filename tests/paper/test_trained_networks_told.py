"""What docs/paper.md tells of trained networks is in their confusion matrices and histories."""

import re

import numpy as np
import pytest

from tests.paper.results import confusion, numbers, rows, table_after, wilson

#: How a row of the page begins, and the folder whose confusion matrix it tells.
TRAINED = {
    "figure 3": "figure3",
    "figure 4": "figure4",
    "the same systems": "figure4-same-systems-257",
    "figure 5:": "figure5",
    "figure 5, as written": "figure5-as-written",
    "figure 5, as coded": "figure5-as-coded",
}


@pytest.mark.parametrize("what", TRAINED)
def test_what_a_trained_network_left_wrong_is_in_its_confusion_matrix(page, what):
    counted = confusion(TRAINED[what])
    (row,) = (r for r in table_after(page, "% TRAINED\n| what |") if r[0].startswith(what))
    told = re.match(r"(\d+) errors in (\d+), accuracy ([\d.]+) \[([\d.]+), ([\d.]+)\]", row[3])
    errors, total, *accuracy = map(float, told.groups())
    right = np.trace(counted) / counted.sum()
    assert (errors, total) == (counted.sum() - np.trace(counted), counted.sum())
    assert accuracy == pytest.approx([right, *wilson(right, total)], abs=0.00051)


WHICH = [
    ("table 1:", ""),
    ("table 1, as written", "-as-written"),
    ("table 1, as coded", "-as-coded"),
]


@pytest.mark.parametrize(("what", "which"), WHICH)
def test_table_1_on_the_page_is_what_the_confusion_matrix_of_figure_5_gives(page, what, which):
    counted = confusion(f"figure5{which}")
    right, true, read = np.diag(counted), counted.sum(axis=1), counted.sum(axis=0)
    scores = [right / read, right / true, 2 * right / (true + read)]
    (row,) = (r for r in table_after(page, "% TRAINED\n| what |") if r[0].startswith(what))
    told = re.fullmatch(r"precision ([\d.]+), recall ([\d.]+), F1 ([\d.]+)", row[3])
    assert [float(v) for v in told.groups()] == pytest.approx(
        [np.mean(score) for score in scores], abs=0.00051
    )
    kept = np.array(
        [
            [float(r[k]) for k in ("precision", "recall", "f1")]
            for r in rows(f"table1{which}/table1.csv")
        ]
    )
    assert kept == pytest.approx(np.transpose(scores), abs=1e-5)


def test_how_far_off_the_polydisperse_readings_are_is_in_the_matrices(page):
    far = np.abs(np.subtract.outer(range(19), range(19))) > 1
    assert confusion("figure5")[far].sum() == 0
    assert "[0.988, 0.996], none off by more than one" in page
    counted = confusion("figure5-as-written")
    off, errors = counted[far].sum(), counted.sum() - np.trace(counted)
    assert numbers(r"0.635\], (\d+) off by more than one", page) == [off]
    assert numbers(r"written/`\), (\d+) of them by one", page) == [errors - off]
    history = rows("figure5-as-written/history.csv")
    told = numbers(r"was (0\.\d+) after the first epoch and (0\.\d+) after the second", page)
    assert told == pytest.approx([float(row["valid_accuracy"]) for row in history], abs=0.00051)
    told = numbers(r"Two epochs, (\d+) minutes", page)
    assert told == pytest.approx([sum(float(row["seconds"]) for row in history) / 60], abs=0.51)


def test_as_coded_the_network_and_the_profile_are_as_the_page_tells(page):
    counted, rule = confusion("figure5-as-coded"), confusion("figure5-as-coded-radial-lda")
    far = np.abs(np.subtract.outer(range(19), range(19))) > 1
    (row,) = re.findall(r"figure 5, as coded.*, (\d+) off by more than one", page)
    assert int(row) == counted[far].sum()
    told = numbers(r"leave (\d+) errors in 1900, macro-F1 (\d\.\d+)\s+\(`docs", page)
    right = np.diag(counted)
    f1 = np.mean(2 * right / (counted.sum(axis=1) + counted.sum(axis=0)))
    assert told == pytest.approx([counted.sum() - right.sum(), f1], abs=0.00051)
    told = numbers(r"text's grid, reads ([\d.]+) \[([\d.]+), ([\d.]+)\] here", page)
    share = np.trace(rule) / rule.sum()
    assert told == pytest.approx([share, *wilson(share, rule.sum())], abs=0.00051)
    scores = {int(row["n"]): row for row in rows("table1-as-coded/table1.csv")}
    told = numbers(
        r"F1 is at least ([\d.]+) up to n = (\d+), theirs up to n = (\d+); from n = 14 on it is at "
        r"most ([\d.]+), theirs\s+at most (\d.\d+)",
        page,
    )
    for name, last, most in (("f1", told[1], told[3]), ("published f1", told[2], told[4])):
        values = {n: float(row[name]) for n, row in scores.items()}
        assert min(v for n, v in values.items() if n <= last) >= told[0]
        assert max(v for n, v in values.items() if n >= 14) == pytest.approx(most, abs=0.0051)
        assert values[last + 1] < told[0]
    history = rows("figure5-as-coded/history.csv")
    told = re.search(r"patterns was ([\d., ]+) after every third epoch", page)[1].split(", ")
    found = [float(row["valid_accuracy"]) for row in history[2::3]]
    assert [float(value) for value in told] == pytest.approx(found, abs=0.00051)
    told = numbers(r"on the training\s+patterns (0\.\d+) in the last", page)
    assert told == pytest.approx([float(history[-1]["accuracy"])], abs=0.00051)
    told = numbers(r"Eighteen epochs, (\d+) minutes", page)
    assert told == pytest.approx([sum(float(row["seconds"]) for row in history) / 60], abs=0.51)
    fewer = confusion("figure5-as-coded-four-epochs")
    assert numbers(r"in batches of 20, had left (\d+)", page) == [fewer.sum() - np.trace(fewer)]
    of_four, of_five = (
        rows(f"{folder}/history.csv")[1]
        for folder in ("figure5-as-coded-four-epochs", "training-as-coded-every-second")
    )
    told = numbers(r"had come to (0\.\d+) on the\s+validation patterns\s[^.]*to (0\.\d+)\.", page)
    found = [float(row["valid_accuracy"]) for row in (of_five, of_four)]
    assert told == pytest.approx(found, abs=0.00051)
    paired = rows("baselines/authors-poly-65-seed-20221115/baselines.csv")
    (peaks,) = [float(row["accuracy"]) for row in paired if row["baseline"] == "pair-peaks"]
    assert numbers(r"here, and `pair-peaks` (\d\.\d+)", page) == pytest.approx([peaks], abs=0.00051)


def test_the_validation_accuracies_on_the_page_are_those_of_the_epochs(page):
    history = [float(row["valid_accuracy"]) for row in rows("figure3/history.csv")]
    told = re.search(r"was ([\d.]+) after one epoch, ([\d.]+)\s+after two and ([\d.]+)", page)
    assert [float(v) for v in told.groups()] == pytest.approx(history, abs=0.00051)

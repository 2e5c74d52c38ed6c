"""What the pages show of trained networks is in their confusion matrices and histories."""

import numpy as np
import pytest

from tests.paper.results import confusion, floats, rows, wilson

FOLDERS = (
    "figure3",
    "figure4",
    "figure4-same-systems-257",
    "figure5",
    "figure5-as-written",
    "figure5-as-coded",
)


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_errors_of_a_network_are_those_of_its_confusion_matrix(number, folder):
    counted = confusion(folder)
    errors, total, *accuracy = floats(number(f"trained {folder}"))
    right = np.trace(counted) / counted.sum()
    assert (errors, total) == (counted.sum() - np.trace(counted), counted.sum())
    assert accuracy == pytest.approx([right, *wilson(right, total)], abs=0.00051)
    assert int(number(f"errors {folder}")) == errors
    assert floats(number(f"accuracy {folder}")) == accuracy
    far = np.abs(np.subtract.outer(range(19), range(19))) > 1
    assert int(number(f"off-by {folder} more")) == counted[far].sum()
    assert int(number(f"off-by {folder} one")) == errors - counted[far].sum()


@pytest.mark.parametrize("which", ["", "-as-written", "-as-coded"])
def test_table_1_is_what_the_confusion_matrix_of_figure_5_gives(number, which):
    counted = confusion(f"figure5{which}")
    right, true, read = np.diag(counted), counted.sum(axis=1), counted.sum(axis=0)
    scores = [right / read, right / true, 2 * right / (true + read)]
    means = [np.mean(score) for score in scores]
    told = number(f"scores figure5{which}").replace("F1", "")
    assert floats(told) == pytest.approx(means, abs=0.00051)
    assert float(number(f"macro-f1 figure5{which}")) == pytest.approx(means[2], abs=0.00051)
    kept = np.array(
        [
            [float(r[k]) for k in ("precision", "recall", "f1")]
            for r in rows(f"table1{which}/table1.csv")
        ]
    )
    assert kept == pytest.approx(np.transpose(scores), abs=1e-5)


@pytest.mark.parametrize("column", ["f1", "published f1"])
def test_the_limits_of_f1_are_those_of_the_table(number, column):
    scores = {int(row["n"]): float(row[column]) for row in rows("table1-as-coded/table1.csv")}
    words = f"table1-as-coded {column.replace(' ', '-')}"
    last = int(number(f"f1-until {words} 0.99"))
    assert min(v for n, v in scores.items() if n <= last) >= 0.99 > scores[last + 1]
    most = max(v for n, v in scores.items() if n >= 14)
    assert float(number(f"f1-from {words} 14")) == pytest.approx(most, abs=0.0051)


def test_accuracies_and_minutes_are_those_of_the_history(number):
    history = rows("figure5-as-coded/history.csv")
    found = [float(row["valid_accuracy"]) for row in history]
    told = floats(number("history figure5-as-coded valid_accuracy 3 6 -1"))
    assert told == pytest.approx([found[2], found[5], found[-1]], abs=0.00051)
    told = floats(number("history figure5-as-coded accuracy 1"))
    assert told == pytest.approx([float(history[0]["accuracy"])], abs=0.00051)
    minutes = sum(float(row["seconds"]) for row in history) / 60
    assert floats(number("minutes figure5-as-coded")) == pytest.approx([minutes], abs=0.51)


def test_a_network_reads_larger_patterns_by_its_window_alone(number):
    found = {
        (row["statistics"], row["area read"]): int(row["right"]) / int(row["of"])
        for row in rows("figure4-transfer/transfer.csv")
    }
    assert found.pop(("trained window", "trained window")) >= 0.99
    assert max(found.values()) < 0.95
    assert number("transfer window window") == "200 of 200"
    assert number("transfer all all") == f"{round(200 * found['all pixels', 'all pixels'])} of 200"


def test_a_larger_pattern_is_brighter_on_either_grid(number):
    for folder in ("brightness", "brightness-authors-grid"):
        factors = {row["n"]: float(row["factor"]) for row in rows(f"{folder}/brightness.csv")}
        for n in ("2", "20"):
            told = float(number(f"brightness {folder} {n}"))
            assert told == pytest.approx(factors[n], abs=0.0051)
        assert min(factors.values()) > 1.4

"""Numbers of trained networks: confusion matrices, tables of scores, histories."""

from __future__ import annotations

import numpy as np

from results.files import RESULTS, interval, rows


def confusion(folder: str) -> np.ndarray:
    """Return the confusion matrix in a folder, a row per true class."""
    (path,) = (RESULTS / folder).glob("figure*.csv")
    found = [list(row.values())[1:] for row in rows(f"{folder}/{path.name}")]
    return np.array(found, dtype=int)


def errors(folder: str) -> str:
    """Return the number of errors in a confusion matrix."""
    counts = confusion(folder)
    return str(counts.sum() - np.trace(counts))


def accuracy(folder: str) -> str:
    """Return the accuracy of a confusion matrix with its interval."""
    counts = confusion(folder)
    return interval(np.trace(counts), counts.sum())


def trained(folder: str) -> str:
    """Return errors and accuracy of a network."""
    total = confusion(folder).sum()
    return f"{errors(folder)} errors in {total}, accuracy {accuracy(folder)}"


def off_by(folder: str, which: str) -> str:
    """Return how many predictions are off by exactly ``one`` or by ``more``."""
    counts = confusion(folder)
    distance = np.abs(np.subtract.outer(*2 * (np.arange(len(counts)),)))
    return str(counts[distance == 1 if which == "one" else distance > 1].sum())


def scores(folder: str) -> str:
    """Return macro precision, recall and F1 of a confusion matrix."""
    precision, recall, f1 = _scores(folder)
    return f"precision {precision:.3f}, recall {recall:.3f}, F1 {f1:.3f}"


def macro_f1(folder: str) -> str:
    """Return the macro-averaged F1 of a confusion matrix."""
    return f"{_scores(folder)[2]:.3f}"


def _scores(folder: str) -> list[float]:
    counts = confusion(folder)
    right, true, predicted = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    each = (right / predicted, right / true, 2 * right / (true + predicted))
    return [float(np.mean(values)) for values in each]


def f1_from(folder: str, column: str, first: str) -> str:
    """Return the largest F1 of a table 1 from n = `first` on, `column` f1 or published-f1."""
    found = _f1(folder, column)
    return f"{max(v for n, v in found.items() if n >= int(first)):.2f}"


def f1_until(folder: str, column: str, least: str) -> str:
    """Return the largest n up to which every F1 is at least `least`."""
    found = _f1(folder, column)
    below = [n for n, value in found.items() if value < float(least)]
    return str(min(below, default=max(found) + 1) - 1)


def _f1(folder: str, column: str) -> dict[int, float]:
    name = column.replace("-", " ")
    return {int(row["n"]): float(row[name]) for row in rows(f"{folder}/table1.csv")}


def history(folder: str, column: str, *epochs: str) -> str:
    """Return a column of a training history at some epochs; -1 is the last."""
    found = rows(f"{folder}/history.csv")
    chosen = [found[int(e) - (int(e) > 0)] for e in epochs]
    return ", ".join(f"{float(row[column]):.3f}" for row in chosen)


def minutes(folder: str) -> str:
    """Return the duration of a training [min]."""
    return f"{sum(float(row['seconds']) for row in rows(f'{folder}/history.csv')) / 60:.0f}"


def transfer(statistics: str, area: str) -> str:
    """Return how many larger patterns a network reads rightly; `all` or `window` each."""
    spelled = {"all": "all pixels", "window": "trained window"}
    (row,) = (
        row
        for row in rows("figure4-transfer/transfer.csv")
        if (row["statistics"], row["area read"])
        == (spelled[statistics], spelled[area])
    )
    return f"{row['right']} of {row['of']}"


def brightness(folder: str, n: str) -> str:
    """Return how much brighter a 513² pattern of class n is than one of 257²."""
    (found,) = (
        row["factor"] for row in rows(f"{folder}/brightness.csv") if row["n"] == n
    )
    return f"{float(found):.2f}"

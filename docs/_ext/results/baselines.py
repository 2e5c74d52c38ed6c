"""Accuracies of the physics baselines, from their predictions."""

from __future__ import annotations

import math

import numpy as np

from results.files import interval, markdown_table, rows

BASELINES = (
    "radial-lda",
    "first-moment",
    "form-factor-fit",
    "contrast",
    "pair-peaks",
)
#: Columns of the tables of baselines, and their folders in docs/results/baselines.
SETS = {
    "monodisperse": "paper-mono-257",
    "polydisperse, fresh sizes": "paper-poly-257",
    "polydisperse, sizes shared": "paper-poly-257-shared-sizes",
    "one radius, 90": "fixed-radius-257",
}
AS_CODED = {
    "seed 20221115": "authors-poly-65-seed-20221115",
    "seed 20221116": "authors-poly-65-seed-20221116",
    "seed 20221117": "authors-poly-65-seed-20221117",
    "sizes 1": "authors-poly-65-sizes-1",
    "sizes 2": "authors-poly-65-sizes-2",
    "every second pixel": "authors-poly-129",
    "every pixel": "authors-poly-257",
}
SEEDS = ("20221116", "20221117")


def _predictions(folder: str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    found = rows(f"baselines/{folder}/predictions.csv")
    columns = {name: np.array([int(row[name]) for row in found]) for name in found[0]}
    return columns.pop("label"), columns


def baseline(folder: str, name: str) -> str:
    """Return the accuracy of a baseline."""
    labels, predicted = _predictions(folder)
    return f"{np.mean(labels == predicted[name]):.3f}"


def right_of(
    folder: str, name: str, rows: list[int] | None = None
) -> tuple[int, int]:
    """Return how many of these rows, by default of all, a baseline reads rightly, and of how many."""
    labels, predicted = _predictions(folder)
    right = labels == predicted[name]
    chosen = right if rows is None else right[rows]
    return int(chosen.sum()), len(chosen)


def baselines(seed: str = "") -> str:
    """Return the accuracies of the baselines on the sets of this seed, by default the first."""
    ending = f"-seed-{seed}" if seed else ""
    sets = {title: f"{folder}{ending}" for title, folder in SETS.items()}
    return _baselines(f"seed {seed}" if seed else "baseline", sets)


def baselines_as_coded() -> str:
    """Return the accuracies of the baselines on the sets as coded."""
    return _baselines("as coded", AS_CODED)


def _baselines(corner: str, sets: dict[str, str]) -> str:
    lines = []
    for name in BASELINES:
        cells = []
        for folder in sets.values():
            labels, predicted = _predictions(folder)
            cells.append(interval(np.sum(labels == predicted[name]), len(labels)))
        lines.append((name, *cells))
    return markdown_table((corner, *sets), lines)


def baseline_scores() -> str:
    """Return macro-F1 and the fraction within ±1 of the baselines."""
    lines = []
    for name in BASELINES:
        cells = []
        for folder in SETS.values():
            labels, predicted = _predictions(folder)
            within = np.mean(np.abs(labels - predicted[name]) <= 1)
            cells.append(f"{_macro_f1(labels, predicted[name]):.3f}, {within:.3f}")
        lines.append((name, *cells))
    return markdown_table(("macro-F1, within ±1", *SETS), lines)


def _macro_f1(labels: np.ndarray, predicted: np.ndarray) -> float:
    each = []
    for n in np.union1d(labels, predicted):
        right = np.sum((labels == n) & (predicted == n))
        each.append(2 * right / (np.sum(labels == n) + np.sum(predicted == n)))
    return float(np.mean(each))


def seed_spread() -> str:
    """Return the largest difference of an accuracy between the three seeds, rounded up."""
    worst = 0.0
    for folder in SETS.values():
        seeds = [folder, *(f"{folder}-seed-{seed}" for seed in SEEDS)]
        for name in BASELINES:
            found = [
                np.mean(np.equal(p[0], p[1][name])) for p in map(_predictions, seeds)
            ]
            worst = max(worst, float(np.ptp(found)))
    return f"{math.ceil(100 * worst) / 100:.2f}"

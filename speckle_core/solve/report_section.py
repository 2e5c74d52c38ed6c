"""The section of a report on solved patterns, with pictures of four test patterns."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from speckle_core.contracts.capabilities import SupportsSolver
from speckle_core.contracts.progress import Progress
from speckle_core.contracts.roles import Classifier
from speckle_core.data.dataset import Dataset
from speckle_core.notes import read_json
from speckle_core.plugins.manager import plugin_manager
from speckle_core.report.blocks import Section, Table
from speckle_core.solve.folder import SUMMARY, solve
from speckle_core.solve.records import claim_of, stem
from speckle_core.solve.solving import Recipe
from speckle_core.solve.source import DatasetSource

#: Number of patterns in a report.
SHOWN = 4


def recipe_of(classifiers: Iterable[Classifier]) -> Recipe | None:
    """Return the solver of the first of `classifiers` that is based on one, or None."""
    for classifier in classifiers:
        if isinstance(classifier, SupportsSolver):
            found = plugin_manager().recipe("solver", classifier.solver())
            name = found.pop("name")
            return Recipe(name, {key: value for key, value in found.items() if value is not None})
    return None


def solve_some(
    dataset: Dataset,
    recipe: Recipe,
    folder: Path,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
) -> None:
    """Solve `SHOWN` test patterns, spread over the classes, into `folder`."""
    test = dataset.split["test"]
    classes, first = np.unique(dataset.labels[test], return_index=True)
    spread = np.linspace(0, len(classes) - 1, min(SHOWN, len(classes))).round().astype(int)
    chosen = sorted(int(test[first[at]]) for at in spread)
    source = DatasetSource.of(dataset)
    solve(source, chosen, recipe, folder, workers=workers, progress=progress)


def section(folder: Path) -> Section:
    """Return the section on the solutions in `folder`."""
    summary = read_json(folder / SUMMARY)
    records: list[dict[str, Any]] = summary["patterns"]
    pictures = [
        (
            f"Pattern {record['pattern']}: measured, computed from the {record['n']} bodies found, "
            "their difference, and the bodies (filled) on the true ones (outlines).",
            (folder / f"{stem(record['pattern'])}.png").read_bytes(),
        )
        for record in records
    ]
    rows = [
        (
            record["pattern"],
            record["label"],
            record["n"],
            claim_of(record),
            f"{record['residual']:.2g}",
            f"{record['truth']['exact']} of {record['truth']['n']}" if record["truth"] else "-",
        )
        for record in records
    ]
    table = Table(
        "Test patterns and the bodies found behind them. Exact: position and size are correct to a "
        "thousandth of the radius, after the best translation and inversion.",
        ("Pattern", "True n", "n found", "Solved", "Residual", "Exact bodies"),
        rows,
    )
    return Section(
        "Solved structures", _summary_text(records, summary["solver"]["name"]), pictures, [table]
    )


def _summary_text(records: list[dict[str, Any]], name: str) -> str:
    solved = [record for record in records if record["solved"]]
    right = [r for r in solved if r["truth"] and r["truth"]["exact"] == r["truth"]["n"] == r["n"]]
    text = (
        f"The solver {name} finds the bodies themselves, without any training. It reports "
        f"{len(solved)} of {len(records)} test patterns as solved"
    )
    if any(record["truth"] for record in records):
        text += f", {len(right)} of them with every body exact"
    return (
        f"{text}. A pattern does not determine where in the box its bodies lie, nor distinguish a "
        "structure from its point inversion; the bodies found are moved onto the true ones."
    )

"""What docs/results/solving says of the solver."""

from __future__ import annotations

import json
from typing import Any

from results.baselines import right_of
from results.files import RESULTS, interval, markdown_table

FOLDER = RESULTS / "solving"
_HEADER = (
    "patterns",
    "n",
    "how many",
    "right n",
    "within one",
    "structures",
    "solved (false)",
    "explained (false)",
    "seconds: median, 99 %",
)


def solving() -> str:
    """Return a table with a row for each entry, in order of their names."""
    return markdown_table(_HEADER, [_row(entry) for entry in entries().values()])


def entries() -> dict[str, Any]:
    """Return the entries of solved.json by name."""
    found: dict[str, Any] = json.loads((FOLDER / "solved.json").read_text("utf-8"))
    return found


def solved(name: str, key: str, n: str = "all") -> str:
    """Return a number of one entry, such as ``{{ solved 1-poly structures }}``, of all n or of one.

    Keys are those of its ``all``.
    """
    entry = entries()[name]
    group = (
        entry["all"]
        if n == "all"
        else dict(zip(entry["columns"], entry["by_n"][n], strict=True))
    )
    value = group[key]
    return f"{value:.2g}" if isinstance(value, float) else f"{value:,}"


def _row(found: dict[str, Any]) -> tuple[str, ...]:
    whole, (first, last) = found["all"], found["counts"]
    return (
        found["title"],
        f"{first}" if first == last else f"{first} to {last}",
        str(whole["patterns"]),
        interval(whole["right_n"], whole["patterns"]),
        str(whole["within_1"]),
        str(whole["structures"]),
        f"{whole['claimed']} ({whole['false_claims']})",
        f"{whole['explained']} ({whole['false_explained']})",
        f"{whole['median']:.2f}, {whole['p99']:.1f}",
    )


#: Entries of test patterns of a preset, and the folder of docs/results/baselines of the same.
BESIDE = {
    "1-poly-test": "paper-poly-257",
    "2-fixed-test": "fixed-radius-257",
    "3-mono-test": "paper-mono-257",
    "8-authors-65": "authors-poly-65-seed-20221115",
}


def solving_beside() -> str:
    """Return accuracies of the solver and of rules on the same test patterns."""
    rows, found = [], entries()
    for name, folder in BESIDE.items():
        if name not in found:
            continue
        entry = found[name]
        whole, rows_of_test = entry["all"], entry["test_rows"]
        chosen = None if rows_of_test == "all" else rows_of_test
        rules = (
            interval(*right_of(folder, rule, chosen))
            for rule in ("pair-peaks", "radial-lda")
        )
        solved = interval(whole["right_n"], whole["patterns"])
        rows.append((entry["title"], str(whole["patterns"]), solved, *rules))
    return markdown_table(
        ("test patterns", "how many", "solve", "pair-peaks", "radial-lda"), rows
    )


def solving_time() -> str:
    """Return a table of the seconds and each stage's share, a row for each number of bodies."""
    found = _time()
    stages = found["shares"]
    rows = [
        (
            str(n),
            f"{seconds:.3f}",
            *(f"{100 * shares[at]:.0f} %" for shares in stages.values()),
        )
        for at, (n, seconds) in enumerate(
            zip(found["counts"], found["median"], strict=True)
        )
    ]
    return markdown_table(("n", "seconds", *stages), rows)


def time_exponent() -> str:
    """Return the power of n that the seconds grow with."""
    return f"{_time()['exponent']:.1f}"


def _time() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / "time.json").read_text("utf-8"))
    return found

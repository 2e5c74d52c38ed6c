"""What docs/results/solving says of the solver."""

from __future__ import annotations

import json
from typing import Any

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

"""What docs/results/solving says of the solver."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from results.files import RESULTS, interval, markdown_table

FOLDER = RESULTS / "solving"
_HEADER = (
    "patterns",
    "n",
    "how many",
    "right n",
    "structures",
    "called solved",
    "false claims",
    "seconds: median, 99 %",
)


def solving() -> str:
    """Return a table with a row for each file, in order of their names."""
    return markdown_table(
        _HEADER, [_row(json.loads(path.read_text("utf-8"))) for path in files()]
    )


def files() -> list[Path]:
    """Return the files, in order."""
    return sorted(FOLDER.glob("*.json"))


def solved(name: str, key: str, n: str = "all") -> str:
    """Return a number of one file, such as ``{{ solved 1-poly structures }}``, of all n or of one.

    Keys are those of its ``all``: patterns, right_n, within_1, structures, claimed, false_claims,
    worst_of_box, and median, p95 and p99 seconds.
    """
    found = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    group = found["all"] if n == "all" else found["by_n"][n]
    value = (group | group["seconds"])[key]
    return f"{value:.2g}" if isinstance(value, float) else f"{value:,}"


def _row(found: dict[str, Any]) -> tuple[str, ...]:
    whole, (first, last) = found["all"], found["counts"]
    seconds = whole["seconds"]
    return (
        found["title"],
        f"{first}" if first == last else f"{first} to {last}",
        str(whole["patterns"]),
        interval(whole["right_n"], whole["patterns"]),
        interval(whole["structures"], whole["patterns"]),
        str(whole["claimed"]),
        str(whole["false_claims"]),
        f"{seconds['median']:.2f}, {seconds['p99']:.1f}",
    )

"""From the lines of benchmarks/solving.py to an entry of docs/results/solving/solved.json.

    python benchmarks/record_solving.py poly.jsonl --name 1-poly \\
        --title "polydisperse, as written" --command "python benchmarks/solving.py poly …"

Entries stand in the order of their names, and rows of `by_n` have the columns of `columns`. Of test
patterns of a preset `test_rows` says which of its test set they are.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from speckle_core._version import __version__
from speckle_core.files import write_text

RESULTS = Path(__file__).parents[1] / "docs" / "results" / "solving" / "solved.json"
#: A body is exact when it lies, and is as large, as it should to this share of the box or radius.
EXACT = 1e-3
COLUMNS = ("patterns", "right_n", "within_1", "structures", "claimed", "false_claims")
COLUMNS += ("explained", "false_explained", "median")


def summary(lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the numbers of one group of patterns, `COLUMNS` among them."""
    structures = [line for line in lines if _exact(line)]
    claimed = [line for line in lines if line["solved"]]
    explained = [line for line in lines if line.get("explained", line["solved"])]
    worst = [max(line["place"], line["length"]) for line in structures]
    seconds = np.percentile([line["cpu"] for line in lines], [50, 95, 99])
    return {
        "patterns": len(lines),
        "right_n": sum(line["found"] == line["n"] for line in lines),
        "within_1": sum(abs(line["found"] - line["n"]) <= 1 for line in lines),
        "structures": len(structures),
        "claimed": len(claimed),
        "false_claims": sum(not line.get("right", _exact(line)) for line in claimed),
        "explained": len(explained),
        "false_explained": sum(not line.get("right_above", _exact(line)) for line in explained),
        "worst_of_box": _short(max(worst, default=None)),
        **dict(zip(("median", "p95", "p99"), map(_short, seconds), strict=True)),
    }


def _exact(line: dict[str, Any]) -> bool:
    return line["found"] == line["n"] and max(line["radius"], line["place"]) < EXACT


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.3g}")


def recorded(path: Path, title: str, command: str) -> dict[str, Any]:
    """Return what docs/results/solving/solved.json holds of the lines in `path`."""
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    counts = sorted({line["n"] for line in lines})
    groups = {n: [line for line in lines if line["n"] == n] for n in counts}
    found = {
        "title": title,
        "command": command,
        "version": f"speckle-core {__version__}",
        "counts": [counts[0], counts[-1]],
        "all": summary(lines),
        "columns": list(COLUMNS),
        "by_n": {str(n): [summary(group)[c] for c in COLUMNS] for n, group in groups.items()},
    }
    if "row" in lines[0]:
        found["test_rows"] = sorted(line["row"] for line in lines)
        if found["test_rows"] == list(range(len(lines))):
            found["test_rows"] = "all"
    return found


def written(entries: dict[str, Any]) -> str:
    """Return the file with all `entries`: one line a key, one a number of bodies."""
    text = json.dumps(dict(sorted(entries.items())), indent=1, ensure_ascii=False)
    # A list on a line.
    return re.sub(r"\[\s+([^\[\]]*?)\s+\]", lambda m: f"[{' '.join(m[1].split())}]", text) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lines", type=Path)
    parser.add_argument("-o", dest="output", type=Path, default=RESULTS)
    parser.add_argument("--name", required=True, help="of the entry; rows are sorted by it")
    parser.add_argument("--title", required=True, help="what the row of the table is called")
    parser.add_argument("--command", required=True, type=lambda text: shlex.join(shlex.split(text)))
    given = parser.parse_args(arguments)
    found = recorded(given.lines, given.title, given.command)
    entries = json.loads(given.output.read_text("utf-8")) if given.output.exists() else {}
    write_text(given.output, written(entries | {given.name: found}))
    print(json.dumps(found["all"]))


if __name__ == "__main__":
    main()

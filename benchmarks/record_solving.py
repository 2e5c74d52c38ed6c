"""From the lines of benchmarks/solving.py to a file of docs/results/solving/, which docs show.

    python benchmarks/record_solving.py poly.jsonl -o docs/results/solving/poly.json \\
        --title "polydisperse, as written" --command "python benchmarks/solving.py poly …"
"""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from speckle_core._version import __version__
from speckle_core.files import write_text

#: A body is exact when it lies, and is as large, as it should to this share of the box or radius.
EXACT = 1e-3


def summary(lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the counts of one group of patterns."""
    right = [line for line in lines if line["found"] == line["n"]]
    structures = [line for line in right if max(line["radius"], line["place"]) < EXACT]
    claimed = [line for line in lines if line["solved"]]
    worst = [max(line["place"], line["length"]) for line in structures]
    seconds = [line["cpu"] for line in lines]
    return {
        "patterns": len(lines),
        "right_n": len(right),
        "within_1": sum(abs(line["found"] - line["n"]) <= 1 for line in lines),
        "structures": len(structures),
        "claimed": len(claimed),
        "false_claims": sum(line not in structures for line in claimed),
        "worst_of_box": max(worst, default=None),
        "seconds": {
            name: float(np.percentile(seconds, share))
            for name, share in (("median", 50), ("p95", 95), ("p99", 99))
        },
    }


def recorded(path: Path, title: str, command: str) -> dict[str, Any]:
    """Return what a file of docs/results/solving/ holds of the lines in `path`."""
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    counts = sorted({line["n"] for line in lines})
    return {
        "title": title,
        "command": command,
        "version": f"speckle-core {__version__}",
        "counts": [counts[0], counts[-1]],
        "all": summary(lines),
        "by_n": {str(n): summary([line for line in lines if line["n"] == n]) for n in counts},
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lines", type=Path)
    parser.add_argument("-o", dest="output", type=Path, required=True)
    parser.add_argument("--title", required=True, help="what the row of the table is called")
    parser.add_argument("--command", required=True, type=lambda text: shlex.join(shlex.split(text)))
    given = parser.parse_args(arguments)
    found = recorded(given.lines, given.title, given.command)
    given.output.parent.mkdir(parents=True, exist_ok=True)
    write_text(given.output, json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    print(json.dumps(found["all"]))


if __name__ == "__main__":
    main()

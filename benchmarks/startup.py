"""How long `speckle --help` takes, as a multiple of importing what any typer command imports.

Run `python benchmarks/startup.py`; it prints one JSON document and ends with status 1 above the
limit. Warm: each is run once before, then both in turn, so that a busy machine slows both alike.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 15
LIMIT = 4.0
BARE = [sys.executable, "-c", "import typer, rich"]
HELP = [str(Path(sys.executable).with_name("speckle")), "--help"]


def seconds(command: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ})
    return time.perf_counter() - begun


def main() -> int:
    for command in (BARE, HELP):
        seconds(command)
    pairs = [(seconds(BARE), seconds(HELP)) for _ in range(ROUNDS)]
    bare, helped = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratio = statistics.median(h / b for b, h in pairs)
    result = {
        "import typer, rich [s]": round(bare, 4),
        "speckle --help [s]": round(helped, 4),
        "ratio": round(ratio, 2),
        "limit": LIMIT,
        "rounds": ROUNDS,
    }
    print(json.dumps(result, indent=2))
    return int(ratio > LIMIT)


if __name__ == "__main__":
    sys.exit(main())

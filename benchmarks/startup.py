"""How long commands take beside a bare script with the imports that each cannot do without.

`python benchmarks/startup.py` prints one JSON document and ends with status 1 above a limit.

CPU time of the process, which a busy machine disturbs less than wall time. Each is run once before,
then both in turn. ``predict`` reads one pattern with a shipped network in PyTorch, ``solve`` one
pattern; the bare scripts import, and compute nothing.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from speckle_core import KGrid, create

ROUNDS = 15
SPECKLE = str(Path(sys.executable).with_name("speckle"))
_SHARED = (
    "import typer, rich.console, pydantic, h5py, cattrs, scipy.special, scipy.fft, scipy.ndimage"
)
#: Command, what a bare script imports, and the largest ratio.
CASES = {
    "--help": (["--help"], "import typer, rich", 4.0),
    "predict": (
        ["predict", "specklenet-fixed", "PATTERN"],
        f"{_SHARED}, scipy.linalg, torch, safetensors",
        1.3,
    ),
    "solve": (["solve", "PATTERN", "--step", str(np.pi / 2000)], f"{_SHARED}, scipy.optimize", 2.0),
}


def seconds(command: list[str]) -> float:
    before = os.times()
    quiet = subprocess.DEVNULL
    subprocess.run(command, check=True, stdout=quiet, stderr=quiet)
    after = os.times()
    return sum(after[2:4]) - sum(before[2:4])


def compare(arguments: list[str], imports: str, limit: float) -> dict[str, float]:
    commands = [sys.executable, "-c", imports], [SPECKLE, *arguments]
    for command in commands:
        seconds(command)
    pairs = [[seconds(command) for command in commands] for _ in range(ROUNDS)]
    bare, ours = (statistics.median(times) for times in zip(*pairs, strict=True))
    return {
        "bare [s]": round(bare, 3),
        "ours [s]": round(ours, 3),
        "ratio": round(statistics.median(our / own for own, our in pairs), 2),
        "limit": limit,
    }


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        pattern = Path(folder) / "pattern.npy"
        drawn = create("sampler", "monodisperse").sample(7, np.random.default_rng(0))
        grid = KGrid.centered(257, np.pi / 2000)
        np.save(pattern, create("scatterer", "analytic").intensities([drawn], grid)[0])
        result = {
            name: compare([a.replace("PATTERN", str(pattern)) for a in arguments], imports, limit)
            for name, (arguments, imports, limit) in CASES.items()
        }
    print(json.dumps(result, indent=2))
    return int(any(found["ratio"] > found["limit"] for found in result.values()))


if __name__ == "__main__":
    sys.exit(main())

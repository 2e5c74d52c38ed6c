"""How long commands take beside a bare script that does the same with the same parts.

`python benchmarks/startup.py` prints one JSON document and ends with status 1 above a limit.

CPU time of the process, which a busy machine disturbs less than wall time. Each is run once before,
then both in turn. `--help` stands beside a typer program of two commands, ``predict`` of one
pattern beside a script that imports only what the network needs, builds it, loads its weights and
reads the pattern; ``solve`` beside one that hands the pattern to the solver. The scripts have no
plugins, checks, rules, novelty or table. *importing* is a script that imports what the bare one
does, and computes nothing.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from speckle_core import KGrid, create
from speckle_core.models.shipped import shipped_models

ROUNDS = 15
SPECKLE = str(Path(sys.executable).with_name("speckle"))

HELP = """
import typer

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def one(name: str, number: int = 3):
    "Do one thing."


@app.command()
def two(name: str, number: int = 3):
    "Do another."


app()
"""

PREDICT = """
import sys

import numpy as np
import torch
from safetensors.torch import load_file

from speckle_specklenet.evidence import Evidence
from speckle_specklenet.network import SpeckleNet

pattern = np.load(sys.argv[1])
pattern[123:134, 123:134] = 0
pattern = ((pattern - pattern.mean()) / pattern.std()).astype(np.float32)
network = SpeckleNet(Evidence(257, 24), 19, 192, 0.15)
network.load_state_dict(load_file(sys.argv[2]), strict=False)
with torch.no_grad():
    rates = network.eval()(torch.from_numpy(pattern[None])).softmax(1)[0]
print(int(rates.argmax()) + 2, float(rates.max()))
"""

SOLVE = """
import sys

import numpy as np

from speckle_core import KGrid
from speckle_solve.solver import Patterson

found = Patterson().solve(np.load(sys.argv[1]), KGrid.centered(257, np.pi / 2000))
print(len(found.configuration), found.residual)
"""

#: Command, the bare script and its arguments, and the largest ratio.
CASES = {
    "--help": (["--help"], [HELP, "--help"], 1.3),
    "predict": (
        ["predict", "specklenet-fixed", "PATTERN"],
        [PREDICT, "PATTERN", "WEIGHTS"],
        1.15,
    ),
    "solve": (["solve", "PATTERN", "--step", str(np.pi / 2000)], [SOLVE, "PATTERN"], 1.3),
}


def seconds(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    quiet = subprocess.DEVNULL
    subprocess.run(command, check=True, stdout=quiet, stderr=quiet)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def imports_of(script: str) -> str:
    return "\n".join(x for x in script.splitlines() if x.startswith(("import ", "from ")))


def compare(ours: list[str], bare: list[str], limit: float) -> dict[str, float]:
    script, *arguments = bare
    python = [sys.executable, "-c"]
    commands = {
        "importing": [*python, imports_of(script)],
        "bare": [*python, script, *arguments],
        "ours": [SPECKLE, *ours],
    }
    for command in commands.values():
        seconds(command)
    rounds = [{name: seconds(one) for name, one in commands.items()} for _ in range(ROUNDS)]
    found = {f"{n} [s]": round(statistics.median(r[n] for r in rounds), 3) for n in commands}
    ratio = statistics.median(r["ours"] / r["bare"] for r in rounds)
    return {**found, "ratio": round(ratio, 2), "limit": limit}


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        pattern = Path(folder) / "pattern.npy"
        drawn = create("sampler", "monodisperse", radius=90.0).sample(7, np.random.default_rng(0))
        grid = KGrid.centered(257, np.pi / 2000)
        np.save(pattern, create("scatterer", "analytic").intensities([drawn], grid)[0])
        weights = shipped_models()["specklenet-fixed"] / "classifier" / "weights.safetensors"
        files = {"PATTERN": str(pattern), "WEIGHTS": str(weights)}
        result = {
            name: compare([files.get(a, a) for a in ours], [files.get(a, a) for a in bare], limit)
            for name, (ours, bare, limit) in CASES.items()
        }
    print(json.dumps(result, indent=2))
    return int(any(found["ratio"] > found["limit"] for found in result.values()))


if __name__ == "__main__":
    sys.exit(main())

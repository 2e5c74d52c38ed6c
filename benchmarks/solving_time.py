"""How the time that `patterson` takes grows with the number of bodies, and where it goes.

    python benchmarks/solving_time.py -o docs/results/solving/time.json

CPU seconds of one thread, on patterns of `paper-poly-257`, each from a seed of its own. Numbers of
bodies take turns, so that whatever else the machine does hits all of them.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from solving import BOX, SETS

from speckle_core import KGrid
from speckle_core.files import write_text
from speckle_prepare.steps import BlockCenter
from speckle_solve import search, solver
from speckle_solve.verdict import Exactness

COUNTS = (2, 3, 4, 6, 8, 11, 15, 20, 25, 30)
#: What each stage calls, and what stages are called.
STAGES = {
    "preparation": ((solver, "prepared"), (solver.Scene, "of")),
    "maps": ((search, "patterson"), (search, "vectors")),
    "superposition": ((search, "_superposed"),),
    "first refinement": ((search, "misfits"), (search, "refine")),
    "growth": ((search, "grow"),),
    "last digits": ((Exactness, "verdict"), (solver, "answer")),
}


def watched(spent):
    """Let every stage add its CPU seconds to `spent`."""

    def watch(stage, call):
        def timed(*given, **named):
            begun = time.process_time()
            try:
                return call(*given, **named)
            finally:
                spent[stage] += time.process_time() - begun

        return timed

    for stage, calls in STAGES.items():
        for owner, name in calls:
            made = watch(stage, getattr(owner, name))
            setattr(owner, name, staticmethod(made) if name == "of" else made)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patterns", type=int, default=10, help="of each number of bodies")
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("-o", dest="output", type=Path, required=True)
    given = parser.parse_args()
    spent = defaultdict(float)
    watched(spent)
    sampler, size, step, scatterer = SETS["poly"]
    grid = KGrid.centered(size, step)
    block = BlockCenter(size=11)
    rows = defaultdict(list)
    for number in range(-1, given.patterns):  # the first round warms up
        for n in COUNTS:
            rng = np.random.default_rng(
                np.random.SeedSequence(given.seed, spawn_key=(n, number + 1))
            )
            intensity = scatterer.intensity(sampler.sample(n, rng), grid)
            pattern = block(np.asarray(intensity, dtype=np.float64)[None], grid)[0]
            spent.clear()
            begun = time.process_time()
            found = solver.Patterson(box=BOX).solve(pattern, grid)
            whole = time.process_time() - begun
            if number >= 0:
                rows[n].append({"whole": whole, "solved": found.solved, **spent})
    made = {
        "command": f"python benchmarks/solving_time.py --patterns {given.patterns} -o FILE",
        "patterns": given.patterns,
        "counts": COUNTS,
        "solved": [sum(row["solved"] for row in rows[n]) for n in COUNTS],
        "median": [round(float(np.median([row["whole"] for row in rows[n]])), 4) for n in COUNTS],
        "shares": {
            stage: [
                round(sum(r.get(stage, 0.0) for r in rows[n]) / sum(r["whole"] for r in rows[n]), 3)
                for n in COUNTS
            ]
            for stage in STAGES
        },
    }
    # The slope from ten bodies on; below, what does not depend on n outweighs the rest.
    many = np.array(COUNTS) >= 8
    slope = np.polyfit(np.log(np.array(COUNTS)[many]), np.log(np.array(made["median"])[many]), 1)[0]
    made["exponent"] = round(float(slope), 2)
    lines = ",\n ".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in made.items())
    write_text(given.output, "{" + lines + "}\n")
    print(json.dumps(made, indent=1))


if __name__ == "__main__":
    main()

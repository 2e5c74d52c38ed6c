"""How many patterns `patterson` solves, how exactly, and in what time.

    python benchmarks/solving.py poly --counts 2-20 --patterns 100 --out poly.jsonl
    python benchmarks/solving.py fixed --counts 20 --patterns 40 --photons 1e6
    python benchmarks/solving.py fixed --test 1900 --out fixed.jsonl
    python benchmarks/solving.py --table poly.jsonl

Each pattern comes from its own seed, SeedSequence(seed, spawn_key=(n, number)), as in a data set;
with --test they are so many of a preset's own test patterns, those of docs/results/baselines too.
A line of JSON is written per pattern; what is there already is not computed again. The solver
never sees the truth, which is compared after translation and inversion.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from pathlib import Path

import numpy as np
from record_solving import EXACT, summary
from scipy.optimize import linear_sum_assignment

from speckle_core import Experiment, KGrid
from speckle_disks.disks import Disks
from speckle_disks.samplers import Monodisperse, Polydisperse
from speckle_prepare.steps import BlockCenter, Standardize
from speckle_scatter.analytic import Analytic
from speckle_scatter.raster import Fft
from speckle_solve.solver import Patterson

PAPER_STEP, AUTHORS_STEP = np.pi / 2000, 2 * np.pi / 18001
# The samplers, grids and scatterers of the presets named behind each.
AUTHORS = Polydisperse(of="area", radii_per="count", exclusion="reference")
SETS = {
    "poly": (Polydisperse(), 257, PAPER_STEP, Analytic()),  # paper-poly-257
    "fixed": (Monodisperse(radius=90.0), 257, PAPER_STEP, Analytic()),  # fixed-radius-257
    "mono": (Monodisperse(), 257, PAPER_STEP, Analytic()),  # paper-mono-257
    "authors": (AUTHORS, 257, AUTHORS_STEP, Fft()),  # authors-poly-257
    "authors-exact": (AUTHORS, 257, AUTHORS_STEP, Analytic()),
    "authors-65": (AUTHORS, 65, 4 * AUTHORS_STEP, Fft()),  # every fourth pixel of it
    "authors-65-exact": (AUTHORS, 65, 4 * AUTHORS_STEP, Analytic()),
}
PRESETS = {"poly": "paper-poly-257", "fixed": "fixed-radius-257", "mono": "paper-mono-257"}
BOX = 2000.0


def recorded(given, n, number):
    """Return the true configuration, the pattern, its grid and mask."""
    sampler, size, step, scatterer = SETS[given.set]
    rng = np.random.default_rng(np.random.SeedSequence(given.seed, spawn_key=(n, number)))
    truth = sampler.sample(n, rng)
    grid = KGrid.centered(size, step)
    pattern = np.asarray(scatterer.intensity(truth, grid), dtype=np.float64)
    block = 11 if size >= 200 else 3
    pattern = BlockCenter(size=block)(pattern[None], grid)[0]
    if given.photons:
        pattern = rng.poisson(pattern * (given.photons / pattern.sum())).astype(np.float64)
    if given.standardized:
        pattern = Standardize()(pattern.astype(np.float32)[None], grid)[0]
    mask = None
    if given.masked or given.half:
        mask = rng.random(grid.shape) >= given.masked
        mask[grid.block(block)] = False
        if given.half:
            mask[: grid.origin] = False
        pattern = np.where(mask | (grid.distance() < block), pattern, np.nan)
        pattern[grid.block(block)] = pattern[grid.origin, grid.origin]
    return truth, pattern, grid, mask


def tested(given):
    """Return (n, number, row) of test patterns of a preset, drawn at random once and for all.

    `row` is that of the test set, in the order of its indices.
    """
    experiment = Experiment.load(PRESETS.get(given.set, "authors-poly-257"))
    each = experiment.structure.patterns_per_count
    labels = np.repeat(np.arange(2, 21), each)
    test = experiment.split.indices(labels, experiment.seed)["test"]
    given.seed = experiment.seed
    rows = np.random.default_rng(0).permutation(len(test))[: given.test]
    return [(int(labels[test[row]]), int(test[row] % each), int(row)) for row in rows]


def compared(truth, found):
    """Return the largest error of a position and of a radius (relative), or None.

    Bodies are matched after the translation and inversion that fit best, found by trying each
    body of the answer on each large one of the truth.
    """
    if len(truth) != len(found):
        return None
    a, b = truth, found
    heavy = np.argmax(a.radii)
    best = None
    for sign in (1, -1):
        for j in np.argsort(abs(b.radii - a.radii[heavy]), kind="stable")[:50]:
            moved = sign * (b.centers - b.centers[j]) + a.centers[heavy]
            apart = np.hypot(*(moved[:, None] - a.centers).transpose(2, 0, 1))
            cost = np.minimum(apart, 1e3)
            rows, columns = linear_sum_assignment(cost)
            shift = np.median(moved[rows] - a.centers[columns], axis=0)
            place = np.hypot(*(moved[rows] - a.centers[columns] - shift).T).max()
            size = np.max(abs(b.radii[rows] - a.radii[columns]) / a.radii[columns])
            length = np.max(abs(b.radii[rows] - a.radii[columns]))
            if best is None or place + length < best[0] + best[2]:
                best = float(place), float(size), float(length)
    return best


def one(task):
    given, n, number, row = task
    truth, pattern, grid, mask = recorded(given, n, number)
    solver = Patterson(box=BOX, **dict(given.options))
    wall, cpu = time.perf_counter(), time.process_time()
    solution = solver.solve(pattern, grid, mask=mask, seed=number)
    line = {
        "set": given.set,
        "n": n,
        "number": number,
        "found": len(solution.configuration),
        "solved": bool(solution.solved),
        "explained": bool(solution.explained),
        "residual": solution.residual,
        "noise_residual": solution.noise_residual,
        "starts": solution.starts,
        "seconds": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "noise": solution.noise,
    }
    disks = truth.particles[0]
    line["faint"] = int(np.sum(disks.radii < solution.faintest))
    errors = compared(disks, solution.configuration.particles[0])
    if errors is not None:
        place, size, length = errors
        line |= {"place": place / BOX, "radius": size, "length": length / BOX}
    if row is not None:
        line["row"] = row
    line["right"] = right(disks, solution)
    line["right_above"] = right(disks, solution, above=True)
    return line


def right(disks, solution, above=False):
    """Say whether what was found is right; with `above`, but for bodies smaller than the faintest.

    With photon noise errors count in standard deviations, else as `record_solving` has it.
    """
    found = solution.configuration.particles[0]
    missed = len(disks) - len(found)
    if above and missed > 0:
        order = np.argsort(disks.radii)
        if disks.radii[order[missed - 1]] >= solution.faintest:
            return False
        disks = Disks(disks.centers[order[missed:]], disks.radii[order[missed:]])
    errors = compared(disks, found)
    if errors is None:
        return False
    place, size, length = errors
    if solution.noise != "poisson":
        return bool(max(size, place / BOX) < EXACT)
    sigma = solution.errors[0]
    pull = max(place / np.hypot(sigma["x"], sigma["y"]).max(), length / sigma["radii"].max())
    # A body left out moves the others by no more than what would have shown it.
    return bool(pull < (20 if above and missed > 0 else 8))


def table(path):
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    groups = {n: [r for r in lines if r["n"] == n] for n in sorted({r["n"] for r in lines})}
    print(path.name)
    for n, rows in [*groups.items(), ("all", lines)]:
        print(f"{n!s:>4}", json.dumps(summary(rows)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("set", nargs="?", choices=SETS)
    parser.add_argument("--counts", default="2-20", help="as 2-20 or 5,10")
    parser.add_argument("--patterns", type=int, default=10, help="of each n")
    parser.add_argument("--first", type=int, default=0, help="number of the first of them")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--test", type=int, help="so many test patterns of the set's preset instead"
    )
    parser.add_argument("--photons", type=float, default=0, help="outside the block; 0: no noise")
    parser.add_argument("--masked", type=float, default=0.0, help="share of pixels masked")
    parser.add_argument("--half", action="store_true", help="mask the half with ky < 0")
    parser.add_argument("--standardized", action="store_true", help="to float32")
    parser.add_argument("--set-option", action="append", default=[], help="name=whole number")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--table", type=Path, help="only print the table of this file")
    given = parser.parse_args()
    if given.table:
        return table(given.table)
    given.options = tuple((k, int(v)) for k, v in (o.split("=") for o in given.set_option))
    path = given.out or Path(f"solving-{given.set}.jsonl")
    done = set()
    if path.exists():
        done = {(r["n"], r["number"]) for r in map(json.loads, path.read_text().splitlines())}
    low, dash, high = given.counts.partition("-")
    counts = range(int(low), int(high) + 1) if dash else map(int, given.counts.split(","))
    numbers = range(given.first, given.first + given.patterns)
    counts = list(counts)
    wanted = tested(given) if given.test else [(n, i, None) for i in numbers for n in counts]
    tasks = [(given, n, i, row) for n, i, row in wanted if (n, i) not in done]
    with path.open("a") as out, multiprocessing.Pool(given.workers) as pool:
        for line in pool.imap(one, tasks):
            out.write(json.dumps(line) + "\n")
            out.flush()
    return table(path)


if __name__ == "__main__":
    main()

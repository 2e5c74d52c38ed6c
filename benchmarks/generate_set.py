"""Making a data set against computing and saving, in one run; prints one JSON document.

1900 patterns at 257 × 257 pixels, 100 of each of the paper's classes (with ``--full`` the paper's
19,000, whole, which needs 6 GB of memory and 10 GB of disk), of equal and of unequal disks:
``generate`` against a bare loop that computes the same patterns and writes them with `numpy.save`
and fsync to new files, without a checksum and with nothing beside them. Repeats alternate and the
best of each counts. CPU time is that of all processes and of the kernel; wall time needs a quiet
machine.

    python benchmarks/generate_set.py [--quick | --full]
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from speckle_core import Experiment
from speckle_core.data.generate import generate
from speckle_core.data.plan import plan
from speckle_core.data.shard import labels_of
from speckle_core.experiment.components import SIMULATION

BATCH = 15
KINDS = {
    f"{kind} disks, {store}": (preset, store)
    for kind, preset in (("equal", "paper-mono-257"), ("unequal", "paper-poly-257"))
    for store in ("whole", "half")
}
WORKERS = {"generate, 1 worker": 1, "generate": None}


def experiment(preset: str, store: str, each: int) -> Experiment:
    return Experiment.load(
        preset,
        [
            f"structure.patterns_per_count={each}",
            f"storage.store={store}",
            "split={train = 0.8, valid = 0.1, test = 0.1}",
        ],
    ).resolved()


def computed(made: Experiment) -> list[np.ndarray]:
    """Return every pattern, one array a shard."""
    pipeline, each = made.build(only=SIMULATION), made.structure.patterns_per_count
    found = []
    for shard in plan(len(made.labels()), pipeline.grid):
        labels = labels_of(made, shard)
        patterns = np.empty((shard.count, *pipeline.grid.shape), np.float32)
        for start in range(0, shard.count, BATCH):
            rows = range(start, min(start + BATCH, shard.count))
            patterns[rows.start : rows.stop] = pipeline.simulate(
                [pipeline.draw(int(labels[i]), (shard.first + i) % each, made.seed) for i in rows]
            )
        found.append(patterns)
    return found


def saved(arrays: list[np.ndarray], folder: Path) -> None:
    folder.mkdir()
    for number, patterns in enumerate(arrays):
        with (folder / f"{number}.npy").open("wb") as file:
            np.save(file, patterns)
            file.flush()
            os.fsync(file.fileno())


class Clock:
    """Wall and CPU seconds of named work; the best of all repeats counts."""

    def __init__(self) -> None:
        self.wall: dict[str, float] = {}
        self.cpu: dict[str, float] = {}

    def __call__(self, name: str, work: Callable[[], Any]) -> Any:
        wall, cpu = time.perf_counter(), cpu_seconds()
        result = work()
        for best, since, clock in (
            (self.wall, wall, time.perf_counter),
            (self.cpu, cpu, cpu_seconds),
        ):
            best[name] = min(clock() - since, best.get(name, math.inf))
        return result


def cpu_seconds() -> float:
    """Return the CPU time of this process and of those that have ended."""
    return sum(os.times()[:4])


def one_round(made: Experiment, home: Path, clock: Clock) -> None:
    with threadpool_limits(1):
        arrays = clock("compute", lambda: computed(made))
        clock("save", lambda: saved(arrays, home / "arrays"))
    shutil.rmtree(home / "arrays")
    for name, workers in WORKERS.items():
        clock(name, lambda workers=workers: generate(made, home / "set", workers=workers))
        shutil.rmtree(home / "set")


def measure(preset: str, store: str, home: Path, each: int, repeats: int) -> dict[str, Any]:
    made, clock = experiment(preset, store, each), Clock()
    patterns = len(made.labels())
    for _ in range(repeats):
        one_round(made, home, clock)
    with generate(made, home / "set") as dataset:
        batches = np.array_split(np.random.default_rng(0).permutation(patterns), patterns // 40)
        for _ in range(repeats):
            clock("read", lambda: [dataset.patterns().raw(batch) for batch in batches])
        size = sum(path.stat().st_size for path in (home / "set").rglob("*.h5"))
    shutil.rmtree(home / "set")
    bare_cpu, bare_wall = (times["compute"] + times["save"] for times in (clock.cpu, clock.wall))
    return {
        "patterns": patterns,
        "bytes a pattern": round(size / patterns),
        "wall ms a pattern": {n: round(1e3 * t / patterns, 3) for n, t in clock.wall.items()},
        "cpu ms a pattern": {n: round(1e3 * t / patterns, 3) for n, t in clock.cpu.items()},
        "ratio to compute and numpy.save": {
            "cpu, 1 worker": round(clock.cpu["generate, 1 worker"] / bare_cpu, 2),
            "wall, 1 worker": round(clock.wall["generate, 1 worker"] / bare_wall, 2),
            "wall, all workers": round(clock.wall["generate"] / bare_wall, 2),
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="a tenth of the patterns, twice")
    size.add_argument("--full", action="store_true", help="ten times the patterns, whole, twice")
    given = parser.parse_args()
    each, repeats = (10, 2) if given.quick else (1000, 2) if given.full else (100, 6)
    kinds = {n: k for n, k in KINDS.items() if not given.full or k[1] == "whole"}
    home = Path(tempfile.mkdtemp(prefix="speckle-benchmark-"))
    try:
        found = {name: measure(*kind, home, each, repeats) for name, kind in kinds.items()}
    finally:
        shutil.rmtree(home, ignore_errors=True)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    print(json.dumps({"machine": machine} | found, indent=1))


if __name__ == "__main__":
    main()

"""Making a data set against its parts, in one run; prints one JSON document.

1900 monodisperse patterns at 257 × 257 pixels, 100 of each of the paper's classes: ``generate``
against a bare loop that computes the same patterns and writes them with `numpy.save` and fsync, no
checksum and nothing beside them; and against its parts, computing, packing into HDF5, SHA-256, one
after the other on one core. Repeats alternate and the best of each counts; machines differ and are
shared, so compare ratios: of CPU time where others are at work, of wall time on a quiet machine.

    python benchmarks/generate_set.py [--quick]
"""

from __future__ import annotations

import argparse
import hashlib
import io
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

import h5py
import numpy as np
from threadpoolctl import threadpool_limits

from speckle_core import Experiment
from speckle_core.data.generate import generate
from speckle_core.data.plan import plan
from speckle_core.data.shard import labels_of
from speckle_core.experiment.components import SIMULATION

BATCH = 15
WORKERS = {"generate, 1 worker": 1, "generate": None}


def experiment(each: int) -> Experiment:
    return Experiment.load(
        "paper-mono-257",
        [
            f"structure.patterns_per_count={each}",
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
    for number, patterns in enumerate(arrays):
        with (folder / f"{number}.npy").open("wb") as file:
            np.save(file, patterns)
            file.flush()
            os.fsync(file.fileno())


def packed(arrays: list[np.ndarray]) -> list[bytes]:
    found = []
    for patterns in arrays:
        memory = io.BytesIO()
        with h5py.File(memory, "w") as file:
            chunks = (1, *patterns.shape[1:])
            data = file.create_dataset("d", patterns.shape, "f4", chunks=chunks, fletcher32=True)
            for start in range(0, len(patterns), BATCH):
                data[start : start + BATCH] = patterns[start : start + BATCH]
        found.append(memory.getvalue())
    return found


class Clock:
    """Wall and CPU seconds of named work; the best of all repeats counts."""

    def __init__(self) -> None:
        self.wall: dict[str, float] = {}
        self.cpu: dict[str, float] = {}

    def __call__(self, name: str, work: Callable[[], Any]) -> Any:
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        for best, since, clock in (
            (self.wall, wall, time.perf_counter),
            (self.cpu, cpu, time.process_time),
        ):
            best[name] = min(clock() - since, best.get(name, math.inf))
        return result


def one_round(made: Experiment, home: Path, clock: Clock) -> None:
    with threadpool_limits(1):
        arrays = clock("compute", lambda: computed(made))
        files = clock("hdf5", lambda: packed(arrays))
        clock("sha256", lambda: [hashlib.sha256(f).hexdigest() for f in files])
        clock("save", lambda: saved(arrays, home))
    for name, workers in WORKERS.items():
        clock(name, lambda workers=workers: generate(made, home / "set", workers=workers))
        shutil.rmtree(home / "set")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the patterns, once")
    quick = parser.parse_args().quick
    made, repeats, clock = experiment(10 if quick else 100), (1 if quick else 4), Clock()
    patterns = len(made.labels())
    home = Path(tempfile.mkdtemp(prefix="speckle-benchmark-"))
    try:
        for _ in range(repeats):
            one_round(made, home, clock)
        with generate(made, home / "set") as dataset:
            batches = np.array_split(np.random.default_rng(0).permutation(patterns), patterns // 40)
            for _ in range(repeats):
                clock("read", lambda: [dataset.patterns().raw(batch) for batch in batches])
    finally:
        shutil.rmtree(home, ignore_errors=True)

    parts = ("compute", "hdf5", "sha256")
    one = clock.cpu["generate, 1 worker"]
    wall = clock.wall["generate"]
    answer = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "patterns": patterns,
        "wall seconds": {name: round(value, 3) for name, value in clock.wall.items()},
        "cpu seconds": {name: round(value, 3) for name, value in clock.cpu.items()},
        "patterns per second": {
            name: round(patterns / clock.wall[name]) for name in (*WORKERS, "read")
        },
        "ratio": {
            "cpu, 1 worker, to the sum of parts": round(one / sum(clock.cpu[p] for p in parts), 2),
            "wall, to compute and numpy.save": round(
                wall / (clock.wall["compute"] + clock.wall["save"]), 2
            ),
            "wall, to the sum of parts shared by two cores": round(
                2 * wall / sum(clock.wall[p] for p in parts), 2
            ),
        },
    }
    print(json.dumps(answer, indent=1))


if __name__ == "__main__":
    main()

"""A set of very many shards: time for each as their number grows; prints one JSON document.

Each shard has one pattern of 9 × 9 pixels, so what counts is the work besides the patterns. The CPU
time of a shard is the median of each thousand; opening, verifying and reading at random
are timed on the whole set.

    python benchmarks/many_shards.py [--shards 50000]
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from speckle_core import Dataset, Experiment
from speckle_core.data import plan
from speckle_core.data.generate import generate
from speckle_core.data.manifest import NAME
from speckle_core.data.verify import verify


def experiment(shards: int) -> Experiment:
    settings = [
        "structure.counts=[2, 3]",
        f"structure.patterns_per_count={shards // 2}",
        "grid.size=9",
        "split={train = 0.8, valid = 0.1, test = 0.1}",
    ]
    return Experiment.load("paper-mono-257", settings)


def timed(work: Any) -> tuple[Any, float]:
    start = time.process_time()
    return work(), time.process_time() - start


def ratio_of_ends(medians: list[float]) -> float:
    tenth = -(-len(medians) // 10)
    return float(np.mean(medians[-tenth:]) / np.mean(medians[:tenth]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shards", type=int, default=50_000)
    count = parser.parse_args().shards
    plan.PATTERNS = 1
    with tempfile.TemporaryDirectory(prefix="speckle-benchmark-") as scratch:
        folder = Path(scratch) / "set"
        moments: list[float] = []
        dataset, whole = timed(
            lambda: generate(
                experiment(count),
                folder,
                workers=1,
                on_progress=lambda _: moments.append(time.process_time()),
            )
        )
        each = np.diff(moments[1:])
        parts = np.array_split(each, max(2, count // 1000))
        medians = [1e3 * float(np.median(part)) for part in parts]
        dataset.close()
        found, opening = timed(lambda: Dataset.open(folder))
        some = np.random.default_rng(0).integers(0, count, 1000)
        _, reading = timed(lambda: found.patterns().raw(some))
        report, verifying = timed(lambda: verify(folder))
        size = {p: (folder / p).stat().st_size for p in (NAME, "patterns.h5")}
    answer = {
        "shards": count,
        "ms a shard, by thousand": [round(t, 3) for t in medians],
        "last tenth to first": round(ratio_of_ends(medians), 3),
        "s to finish, after the last shard": round(whole - (moments[-1] - moments[0]), 2),
        "s to open": round(opening, 2),
        "ms to read one of 1000 at random": round(reading, 3),
        "s to verify": round(verifying, 2),
        "ms to verify a shard": round(1e3 * verifying / count, 3),
        "intact": report.ok,
        "bytes": size,
        "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    print(json.dumps(answer, indent=1))


if __name__ == "__main__":
    main()

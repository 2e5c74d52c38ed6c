"""What the benchmarks of the two training loops share: the data, the rounds, and the figures.

Epochs of the two alternate in one process, so that whatever else the machine does hits both; each
round gives one ratio, the result is their median. On a busy machine look at the ratio of CPU
seconds, which counts our reading thread in full.
"""

import argparse
import json
import os
import platform
import statistics
import time

import numpy as np

from speckle_core import KGrid, PatternSet

CLASSES = 10


def arguments(description):
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--size", type=int, default=65, help="pixels along each side")
    parser.add_argument("--patterns", type=int, default=160)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--precision", default="auto", choices=["auto", "float32", "bfloat16"])
    parser.add_argument("--device", default="auto")
    return parser.parse_args()


def pattern_sets(given):
    """Return noise to train on, and an empty set to validate on."""
    rng = np.random.default_rng(0)
    patterns = rng.standard_normal((given.patterns, given.size, given.size), dtype=np.float32)
    labels = np.resize(np.arange(CLASSES), given.patterns)
    grid = KGrid.centered(given.size, 1.0)
    train = PatternSet.from_arrays(patterns, labels, grid)
    return train, PatternSet.from_arrays(patterns[:0], labels[:0], grid, classes=range(CLASSES))


def new_network(framework, classifier, patterns):
    """Return the network of a classifier for these patterns."""
    return framework.network(classifier, patterns.grid.shape, CLASSES, 0)


def timed(work, finish=lambda: None):
    """Return wall and CPU seconds of a call; `finish` waits for a card."""
    start = time.perf_counter(), time.process_time()
    work()
    finish()
    return time.perf_counter() - start[0], time.process_time() - start[1]


def compare(ours, bare, given, **about):
    """Print how long `ours` takes beside `bare`; each runs one epoch and returns its seconds."""
    before = os.getloadavg()[0]
    ours(), bare()
    rounds = []
    for index in range(given.rounds):
        if index % 2:
            theirs, mine = bare(), ours()
        else:
            mine, theirs = ours(), bare()
        rounds.append((mine, theirs))
    wall, cpu = ([mine[i] / theirs[i] for mine, theirs in rounds] for i in (0, 1))
    fastest = [min(seconds[0] for seconds in side) for side in zip(*rounds, strict=True)]
    print(
        json.dumps(
            {
                "ratio": round(statistics.median(wall), 4),
                "ratios": [round(r, 4) for r in wall],
                "cpu_ratio": round(statistics.median(cpu), 4),
                "cpu_ratios": [round(r, 4) for r in cpu],
                "ratio_of_fastest": round(fastest[0] / fastest[1], 4),
                "our_images_per_second": round(given.patterns / fastest[0], 1),
                "bare_images_per_second": round(given.patterns / fastest[1], 1),
                "size": given.size,
                "batch_size": given.batch_size,
                **about,
                "processor": platform.processor() or platform.machine(),
                "cores": os.cpu_count(),
                "load_before": round(before, 1),
            }
        )
    )

"""How fast `torch-specklenet` reads patterns beside ResNet-50, and how often it is right.

    OMP_NUM_THREADS=1 python benchmarks/specklenet_speed.py -o docs/results/specklenet/speed.json

CPU milliseconds a pattern of one thread. Both read the same patterns in turns, ResNet-50 one batch
with random weights (its time does not depend on them), the shipped models all patterns; the best
round of each counts, so that whatever else the machine does hits both.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

from speckle_core import Pipeline, create, load_model
from speckle_core.files import write_text

SAMPLERS = {
    "specklenet-poly": ("polydisperse", {}),
    "specklenet-fixed": ("monodisperse", {"radius": 90.0}),
}
BATCH = 8


def best(times):
    return round(1e3 * min(times), 2)


def residual_net(precision, patterns):
    """Return a function that reads one batch with ResNet-50."""
    made = create("classifier", "torch-resnet50", device="cpu", precision=precision)
    network = made.network(patterns.shape[1:], 19).eval().to(memory_format=torch.channels_last)
    values = made.prepare_inputs(torch.from_numpy(patterns[:BATCH]))

    def read():
        with torch.inference_mode(), torch.autocast("cpu", enabled=precision == "bfloat16"):
            network(values)

    return read


def measured(name, each, rounds, seed):
    """Return milliseconds and accuracy of one model, and of ResNet-50 in the same run."""
    model = load_model(name, baselines=False)
    sampler, options = SAMPLERS[name]
    pipeline = Pipeline(
        sampler=create("sampler", sampler, **options), scatterer="analytic", grid=model.grid
    )
    labels = np.repeat(np.arange(2, 21), each)
    drawn = [pipeline.draw(int(n), i % each, seed) for i, n in enumerate(labels)]
    patterns = np.ascontiguousarray(model.pipeline.prepared(pipeline.simulate(drawn)), np.float32)
    classifier = model.pipeline.classifier
    others = {p: residual_net(p, patterns) for p in ("float32", "bfloat16")}
    times = {key: [] for key in ("specklenet", *others)}
    for number in range(rounds + 1):  # the first round warms up
        for key, read in others.items():
            begun = time.process_time()
            read()
            times[key].append((time.process_time() - begun) / BATCH)
        # Patterns it has read before cost it nothing: each round is another network.
        fresh = load_model(name, baselines=False).pipeline.classifier
        begun = time.process_time()
        found = fresh.predict_proba(patterns)
        times["specklenet"].append((time.process_time() - begun) / len(patterns))
        if number == 0:
            times = {key: [] for key in times}
    right = float(np.mean(classifier.classes[found.argmax(1)] == labels))
    own = best(times["specklenet"])
    row = {"patterns": len(labels), "right": right, "ms": own}
    for key in others:
        row[f"resnet50_{key}_ms"] = best(times[key])
        row[f"times_faster_{key}"] = round(best(times[key]) / own, 1)
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--each", type=int, default=5, help="patterns of each n")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=20261191)
    parser.add_argument("--model", action="append", choices=sorted(SAMPLERS))
    parser.add_argument("-o", dest="output", type=Path, required=True)
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows = {
        name: measured(name, given.each, given.rounds, given.seed)
        for name in given.model or SAMPLERS
    }
    write_text(given.output, json.dumps(rows, indent=1) + "\n")
    print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()

"""What the training loop of torch-resnet50 costs beside a bare loop over the same network and data.

Epochs of the two alternate in one process, so that whatever else the machine does hits both; each
round gives one ratio, the result is their median. On a busy machine look at the ratio of
CPU seconds, which counts our reading thread in full. Prints one JSON document::

    python benchmarks/training_loop_torch.py --size 65 --patterns 160 --rounds 7
"""

import argparse
import functools
import json
import platform
import statistics
import time

import numpy as np
import torch
from torch.nn import functional

from speckle_core import KGrid, PatternSet
from speckle_resnet.architecture import RESNET50, initial_weights, tensors
from speckle_resnet.training import Training
from speckle_torch.framework import TorchFramework
from speckle_torch.resnet50 import TorchResNet50

CLASSES = 10


def new_network(framework):
    weights = initial_weights(tensors(RESNET50, 1, CLASSES), 0)
    return framework.network(RESNET50, 1, CLASSES, weights)


def timed(work, device):
    """Return wall and CPU seconds of a call."""
    start = time.perf_counter(), time.process_time()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start[0], time.process_time() - start[1]


def bare_epoch(train, options, framework):
    """Train one epoch as anyone would write it."""
    device = framework.device
    network = new_network(framework).module.train().requires_grad_(True)
    patterns, labels = train.batch(range(len(train)))
    adam = torch.optim.Adam(network.parameters(), 1e-3, weight_decay=2e-4, fused=True)

    def work():
        order = np.random.default_rng(0).permutation(len(labels))
        for first in range(0, len(order), options.batch_size):
            batch = order[first : first + options.batch_size]
            x = torch.from_numpy(patterns[batch]).to(device)
            y = torch.from_numpy(labels[batch]).to(device)
            adam.zero_grad()
            with torch.autocast(device.type, torch.bfloat16, framework.bfloat16):
                scores = network(x)
            functional.cross_entropy(scores.float(), y).backward()
            adam.step()

    return timed(work, device)


def our_epoch(train, nothing, options, framework):
    """Train one epoch with the classifier's own loop."""
    network = new_network(framework)
    with framework.training(network, options.weight_decay) as trainer:
        training = Training(options, network, trainer, train, nothing, seed=0)
        return timed(lambda: training.run(None, None), framework.device)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--size", type=int, default=65, help="pixels along each side")
    arguments.add_argument("--patterns", type=int, default=160)
    arguments.add_argument("--batch-size", type=int, default=16)
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--precision", default="auto", choices=["auto", "float32", "bfloat16"])
    arguments.add_argument("--device", default="auto")
    given = arguments.parse_args()

    framework = TorchFramework.chosen(given.device, given.precision)
    rng = np.random.default_rng(0)
    patterns = rng.standard_normal((given.patterns, given.size, given.size), dtype=np.float32)
    labels = np.resize(np.arange(CLASSES), given.patterns)
    grid = KGrid.centered(given.size, 1.0)
    train = PatternSet.from_arrays(patterns, labels, grid)
    nothing = PatternSet.from_arrays(patterns[:0], labels[:0], grid, classes=range(CLASSES))

    options = TorchResNet50(channels=1, epochs=1, batch_size=given.batch_size)
    ours = functools.partial(our_epoch, train, nothing, options, framework)
    bare = functools.partial(bare_epoch, train, options, framework)

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
                "precision": "bfloat16" if framework.bfloat16 else "float32",
                "device": str(framework.device),
                "threads": torch.get_num_threads(),
                "torch": torch.__version__,
                "processor": platform.processor() or platform.machine(),
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()

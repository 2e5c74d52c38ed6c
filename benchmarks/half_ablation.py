"""What a network loses that reads only the rows with ky >= 0 (`classifier.half`).

    python benchmarks/half_ablation.py paper-poly-257 fixed-radius-257 --photons 0 1e4 -o half.json

Networks with `half` and without learn the same patterns for the same number of epochs, and are
scored on the same fresh ones; each seed has its own patterns and first weights. Without photons a
pattern has no noise, so the other rows are redundant; with photons they are a second measurement.
Results are appended, so that more cases may follow.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from pathlib import Path

import attrs
import numpy as np
import torch

from speckle_core import Experiment, create
from speckle_core.files import write_text
from speckle_torch import TorchClassifier

#: Student's t for a two-sided 95 % interval of the mean of that many seeds.
STUDENT = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571}


@attrs.define(kw_only=True, eq=False)
class Small(TorchClassifier):
    """Four convolutions with a stride of 2, then the mean of each channel."""

    width: int = 16

    def network(self, shape, classes):  # noqa: ARG002 - any shape will do
        from torch import nn

        layers, channels = [], 1
        for size, times in ((5, 1), (3, 2), (3, 4), (3, 8)):
            wide = times * self.width
            convolution = nn.Conv2d(channels, wide, size, stride=2, padding=size // 2, bias=False)
            layers += [convolution, nn.BatchNorm2d(wide), nn.ReLU()]
            channels = wide
        pool = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))
        return nn.Sequential(*layers, *pool)


def patterns_of(preset, size, photons, each, seed):
    """Return prepared patterns, `each` of every number of particles."""
    detector = [f'detector={{name = "counting", photons = {photons}}}'] if photons else []
    experiment = Experiment.load(preset, [f"grid.size={size}", *detector])
    pipeline = experiment.build(only=("structure", "scattering", "detector", "prepare"))
    low, high = experiment.structure.counts
    made = pipeline.pattern_set(range(low, high + 1), each, seed=seed)
    prepared = made.prepared_with(pipeline.prepare)
    # Read once: what is compared is the network.
    values, labels = prepared.batch(np.arange(len(prepared)))
    return type(made).from_arrays(values, labels, made.grid, classes=made.classes)


def trained(given, half, seed, train, valid):
    options = {
        "epochs": given.epochs, "batch_size": given.batch_size, "schedule": "one-cycle",
        "learning_rate": given.learning_rate, "augment": given.augment, "half": half,
        "precision": "float32",
    }  # fmt: skip
    if given.network == "small":
        network = Small(**options)
    else:
        network = create("classifier", given.network, **options)
    network.fit(train, valid, seed=seed)
    return network


def right(network, patterns):
    values, labels = patterns.batch(np.arange(len(patterns)))
    return network.classes[network.predict_proba(values).argmax(1)] == labels


def interval(differences):
    """Return the mean of some differences and its 95 % interval."""
    mean = statistics.fmean(differences)
    spread = statistics.stdev(differences) / math.sqrt(len(differences))
    reach = STUDENT[len(differences)] * spread
    return [round(x, 4) for x in (mean, mean - reach, mean + reach)]


def compared(given, preset, photons):
    """Return the accuracies of networks that read all and half of the same patterns."""
    scores, seconds = {"whole": [], "half": []}, {"whole": 0.0, "half": 0.0}
    for seed in range(given.seeds):
        train, valid, test = (
            patterns_of(preset, given.size, photons, each, 1000 * seed + part)
            for part, each in enumerate((given.train, given.test // 2, given.test))
        )
        for name in scores:
            began = time.process_time()
            network = trained(given, name == "half", seed, train, valid)
            seconds[name] += time.process_time() - began
            scores[name].append(round(float(right(network, test).mean()), 4))
    pairs = zip(scores["half"], scores["whole"], strict=True)
    return {
        "preset": preset, "photons": photons, "network": given.network, "size": given.size,
        "train": given.train * 19, "test": given.test * 19, "epochs": given.epochs,
        "augment": given.augment, "learning_rate": given.learning_rate, **scores,
        "half - whole, 95 %": interval([half - whole for half, whole in pairs]),
        "time, half / whole": round(seconds["half"] / seconds["whole"], 2),
        "seconds": round(sum(seconds.values())),
    }  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("presets", nargs="+")
    parser.add_argument("--photons", type=float, nargs="+", default=[0, 1e5, 1e4])
    parser.add_argument("--network", default="small", help="or a component, as torch-resnet50")
    parser.add_argument("--size", type=int, default=65)
    parser.add_argument("--train", type=int, default=200, help="patterns of each number")
    parser.add_argument("--test", type=int, default=100, help="patterns of each number")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--batch-size", type=int, default=40)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--augment", default="flips")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("-o", dest="output", type=Path, required=True)
    given = parser.parse_args()
    torch.set_num_threads(1)
    found = json.loads(given.output.read_text()) if given.output.exists() else []
    for preset in given.presets:
        for photons in given.photons:
            found.append(compared(given, preset, photons))
            lines = ",\n".join("  " + json.dumps(one) for one in found)
            write_text(given.output, f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()

"""What each kind of evidence of `torch-specklenet` is worth: the network without it.

    python benchmarks/specklenet_ablation.py DATA_DIR -o docs/results/specklenet/ablation.json

The evidence is measured once; the layers are trained on parts of it, from three seeds, all for the
same time. Scores are of validation patterns. DATA_DIR is that of `specklenet-poly.toml`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from torch import nn

from speckle_core import create, load_data
from speckle_core.files import write_text
from speckle_specklenet.evidence import Evidence
from speckle_specklenet.network import SpeckleNet

EPOCHS, BATCH, RATE, DECAY, SMOOTHING = 30, 64, 3e-3, 1e-2, 0.03
PEAKS = ("weighted peaks", "sharp peaks")
FOUND = ("structure", "radii", "misfits", "missing", "counts")
#: Which evidence is kept, and whether the maps are all looked at, as they are without a search.
CASES = {
    "all": (("profile", *PEAKS, *FOUND), True),
    "without misfits": (("profile", *PEAKS, "structure", "radii", "missing", "counts"), True),
    "without counts": (("profile", *PEAKS, "structure", "radii", "misfits", "missing"), True),
    "without peaks": (("profile", *FOUND), True),
    "without the profile": ((*PEAKS, *FOUND), True),
    "without superposition and refinement": (("profile", *PEAKS), False),
    "profile and peaks of the weighted map": (("profile", "weighted peaks"), False),
    "profile and peaks of the sharp map": (("profile", "sharp peaks"), False),
    "profile": (("profile",), False),
}


class Columns:
    """Evidence that has been measured before: some of its columns."""

    def __init__(self, groups, kept):
        ends = np.cumsum(list(groups.values()))
        parts = zip(groups, ends - list(groups.values()), ends, strict=True)
        self.columns = np.concatenate([np.arange(a, b) for name, a, b in parts if name in kept])
        self.width = len(self.columns)

    def __call__(self, rows):
        return np.ascontiguousarray(rows[:, self.columns])


def measured(data, part, number):
    """Return evidence with and without a search, and labels, of some patterns of a part."""
    steps = [create("preprocessor", "block-center", size=11), create("preprocessor", "standardize")]
    patterns = data.patterns(part, steps)
    chosen = np.sort(np.random.default_rng(0).permutation(len(patterns))[:number])
    found, kinds = [], (Evidence(257, 24), Evidence(257, 24, structure=False))
    for rows in np.array_split(chosen, max(len(chosen) // 64, 1)):
        values, labels = patterns.batch(rows)
        found.append((*(kind(values) for kind in kinds), labels))
    searched, looked, labels = (np.concatenate(one) for one in zip(*found, strict=True))
    return {True: (searched, kinds[0].groups), False: (looked, kinds[1].groups)}, labels


def trained(columns, rows, targets, seed):
    torch.manual_seed(seed)
    network = SpeckleNet(columns, 19, width=192, dropout=0.15)
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
    steps = EPOCHS * (len(rows) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    loss = nn.CrossEntropyLoss(label_smoothing=SMOOTHING)
    for _ in range(EPOCHS):
        order = torch.randperm(len(rows))
        for start in range(0, len(rows) - BATCH + 1, BATCH):
            batch = order[start : start + BATCH]
            optimizer.zero_grad()
            loss(network(rows[batch]), targets[batch]).backward()
            optimizer.step()
            schedule.step()
    return network.eval()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--train", type=int, default=4560)
    parser.add_argument("--valid", type=int, default=1900)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("-o", dest="output", type=Path, required=True)
    given = parser.parse_args()
    torch.set_num_threads(1)
    data = load_data(given.data)
    train, labels = measured(data, "train", given.train)
    valid, truth = measured(data, "valid", given.valid)
    found = {"train": len(labels), "valid": len(truth), "epochs": EPOCHS, "cases": []}
    for name, (kept, searched) in CASES.items():
        rows, groups = train[searched]
        columns = Columns(groups, kept)
        scores = []
        for seed in range(given.seeds):
            targets = torch.from_numpy(np.asarray(labels) - 2).long()
            network = trained(columns, torch.from_numpy(rows), targets, seed)
            with torch.inference_mode():
                answer = network(torch.from_numpy(valid[searched][0])).argmax(1).numpy() + 2
            scores.append([np.mean(answer == truth), np.mean(np.abs(answer - truth) < 2)])
        right, near = np.round(np.mean(scores, axis=0), 4).tolist()
        each = np.round([s[0] for s in scores], 4).tolist()
        found["cases"].append({"case": name, "accuracy": right, "within_1": near, "each": each})
        print(found["cases"][-1], flush=True)
    write_text(given.output, json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""Random flips and truncations of every kind of file that is written: found, or harmless.

The files are those of a run (with maps and solutions), of its data set and its model, of an
imported set, and of a training that was interrupted. Damage is found when `verify` names it or
refuses, or when the interrupted training warns of it; it is harmless when the folder still gives
what it gave.

    python -m tests.campaigns.flips --number 300
    python -m tests.campaigns.flips --number 300 --network torch-specklenet
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.campaigns.epochs import register
from tests.campaigns.faults import draw_one_pixel, experiment, in_child, listing

#: The usual one needs gradients, which this network does not give.
EXPLAINERS = {"torch-specklenet": []}
FOUND, HARMLESS, MISSED = "found", "harmless", "missed"
#: Nothing is made from the first, and a run writes it again; a finished model reads no checkpoint.
FOR_READERS = "experiment.toml"
UNREAD = {("run", FOR_READERS), ("model", "checkpoint")}
BASELINES = ("first-moment", "contrast", "form-factor-fit", "pair-peaks", "radial-lda", "solve")


def make_run(folder: Path, network: str) -> None:
    from speckle_core import Experiment
    from speckle_core.run import Run

    data = experiment(network).to_dict()
    if network != "epochs":
        data["classifier"] = {"name": network, "epochs": 2}
    data |= {
        "baselines": list(BASELINES),
        "explainers": EXPLAINERS.get(network, ["saliency"]),
        "grid": {"size": 33},
    }
    Run.begin(Experiment.from_dict(data), folder).execute(workers=1)


def import_set(folder: Path, run: Path) -> None:
    from speckle_core import Dataset, import_frames

    file = folder.parent / "frames.npy"
    dataset = Dataset.open(run / "data")
    np.save(file, dataset.patterns().raw(np.arange(len(dataset))))
    import_frames([file], dataset.labels.tolist(), folder)


def train_on(folder: Path, run: Path) -> None:
    from speckle_core import Dataset, Experiment
    from speckle_core.models.train import train

    train(Experiment.load(run / FOR_READERS), Dataset.open(run / "data"), folder)


def judge(folder: Path) -> str:
    """Return whether `verify` finds the damage of a run, a set or a model."""
    from speckle_core import SpeckleError
    from speckle_core.verify import verify

    try:
        return HARMLESS if verify(folder).ok else FOUND
    except SpeckleError:
        return FOUND


def judge_training(folder: Path, go_on: Callable[[Path], None], wanted: dict[str, str]) -> str:
    """Return whether the training warns of its damage, or ends as if there were none."""
    from speckle_core import DamageWarning, SpeckleError

    try:
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always", DamageWarning)
            go_on(folder)
    except SpeckleError:
        return FOUND
    if any(issubclass(warning.category, DamageWarning) for warning in heard):
        return FOUND
    return HARMLESS if listing(folder / "classifier") == wanted else MISSED


def damage(data: bytes, rng: random.Random) -> bytes:
    """Return `data` cut off somewhere, or with one to three bits changed."""
    if rng.randrange(3) == 0:
        return data[: rng.randrange(len(data))]
    out = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def halt(folder: Path, run: Path) -> None:
    """Kill a training as late as it has its checkpoints and is not yet over."""
    for at in range(60, 0, -5):
        if in_child(lambda folder: train_on(folder, run), folder, at) == -9 and any(
            (folder / "checkpoint").glob("*")
        ):
            return
        shutil.rmtree(folder)
    raise AssertionError("no operation leaves a checkpoint")


def campaign(home: Path, number: int, rng: random.Random, network: str) -> dict[str, Any]:
    run, halted = home / "run", home / "halted"
    make_run(run, network)
    import_set(home / "imported", run)
    halt(halted, run)
    wanted = listing(run / "model" / "classifier")
    before = {p: p.read_bytes() for p in sorted(halted.rglob("*")) if p.is_file()}
    judges: dict[str, tuple[Path, Callable[[Path], str]]] = {
        "run": (run, judge),
        "data set": (run / "data", judge),
        "model": (run / "model", judge),
        "imported": (home / "imported", judge),
        "training": (
            halted,
            lambda folder: judge_training(folder, lambda f: train_on(f, run), wanted),
        ),
    }
    cases = [
        (kind, path)
        for kind, (folder, _) in judges.items()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.stat().st_size
    ]
    rng.shuffle(cases)
    outcome: Counter[str] = Counter()
    missed = []
    for place in range(number):
        kind, path = cases[place % len(cases)]
        folder, of = judges[kind]
        whole = path.read_bytes()
        damaged = damage(whole, rng)
        path.write_bytes(damaged)
        result = of(folder)
        if result == HARMLESS and kind != "training":
            result = HARMLESS if (kind, path.relative_to(folder).parts[0]) in UNREAD else MISSED
        outcome[result] += 1
        if result == MISSED:
            missed.append(f"{kind}: {path.relative_to(folder)}")
        path.write_bytes(whole)
        if kind == "training":
            restore(halted, before)
    return {"damaged": number, "files": len(cases), **outcome, "names": missed}


def restore(folder: Path, before: dict[Path, bytes]) -> None:
    for path in [p for p in folder.rglob("*") if p.is_file() and p not in before]:
        path.unlink()
    for path, data in before.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--network", default="epochs", help="the classifier of the run")
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    warnings.simplefilter("ignore")
    register()
    draw_one_pixel()
    with tempfile.TemporaryDirectory() as scratch:
        result = campaign(Path(scratch), given.number, random.Random(given.seed), given.network)
    print(json.dumps(result))
    sys.exit(1 if result["names"] else 0)


if __name__ == "__main__":
    main()

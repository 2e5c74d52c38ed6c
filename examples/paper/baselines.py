"""What simple physics reads of a data set: every baseline fitted and tested on the set's own split.

No network is built, so nothing but the core and scikit-learn is needed.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from record import save_picture, write_csv, write_json

from speckle_core import Pipeline
from speckle_core.analysis.evaluation import Evaluation
from speckle_core.analysis.verdict import evaluate
from speckle_core.contracts.patterns import PatternSet
from speckle_core.data.dataset import Dataset
from speckle_core.figures import accuracy_bars
from speckle_core.plugins.manager import plugin_manager

NAMES = ("radial-lda", "first-moment", "form-factor-fit", "contrast", "pair-peaks")


def baselines(data: Path, output: Path, names: Sequence[str] = NAMES) -> dict[str, Evaluation]:
    """Write into `output` what each baseline reads of the test patterns of `data`."""
    with Dataset.open(data) as dataset:
        experiment = dataset.experiment
        steps = [
            plugin_manager().create("preprocessor", step.name, step.options)
            for step in experiment.prepare
        ]
        pipeline = Pipeline(grid=dataset.grid, prepare=steps, baselines=names)
        parts = {
            part: _read(dataset.patterns(part, pipeline.prepare))
            for part in ("train", "valid", "test")
        }
    found, seconds = {}, {}
    for name, baseline in pipeline.baselines.items():
        begun = time.perf_counter()
        baseline.fit(parts["train"], parts["valid"], seed=experiment.seed)
        found[name] = evaluate(baseline, parts["test"])
        seconds[name] = round(time.perf_counter() - begun, 1)
        print(f"{name}: {found[name].accuracy:.4f} ({seconds[name]} s)", flush=True)
    sizes = {part: len(patterns) for part, patterns in parts.items()}
    numbers = {name: _numbers(evaluation) for name, evaluation in found.items()}
    write_json(
        output / "baselines.json", experiment, patterns=sizes, baselines=numbers, seconds=seconds
    )
    _tables(found, output)
    bars = {name: (e.accuracy, *e.accuracy_interval) for name, e in found.items()}
    drawn = accuracy_bars(bars, chance=1 / len(experiment.counts), network=False)
    save_picture(drawn, output / "baselines.png")
    return found


def _read(patterns: PatternSet) -> PatternSet:
    """Return the patterns in memory; reading 5 GB from disk five times is slow."""
    held = np.empty((len(patterns), *patterns.grid.shape), dtype=np.float32)
    place = 0
    for batch, _ in patterns.batches(64):
        held[place : place + len(batch)] = batch
        place += len(batch)
    return PatternSet.from_arrays(held, patterns.labels, patterns.grid, classes=patterns.classes)


def _numbers(evaluation: Evaluation) -> dict[str, Any]:
    kept = ("accuracy", "within_1", "off_by_more_than_1", "off_by_more_than_2", "macro")
    whole = evaluation.to_dict()
    return {key: whole[key] for key in kept}


def _tables(found: dict[str, Evaluation], output: Path) -> None:
    rows = [
        (
            name,
            e.accuracy,
            *e.accuracy_interval,
            e.macro()["f1"],
            e.within(1),
            int(np.sum(e.errors != 0)),
        )
        for name, e in found.items()
    ]
    header = ("baseline", "accuracy", "low", "high", "macro_f1", "within_1", "errors")
    write_csv(output / "baselines.csv", header, rows)
    labels = next(iter(found.values())).labels.tolist()
    read = [e.predicted.tolist() for e in found.values()]
    write_csv(output / "predictions.csv", ("label", *found), zip(labels, *read, strict=True))

"""A network reads patterns larger than those it was trained on, for the discussion of figure 4.

Two things change with the size: what a pattern is standardized by, and the area that the network's
last maps are averaged over. Each is held at the training's, or not.
"""

from __future__ import annotations

from pathlib import Path

import attrs
import numpy as np
from record import write_csv, write_json

from speckle_core.contracts.patterns import PatternSet
from speckle_core.data.dataset import Dataset
from speckle_core.errors import DataError
from speckle_core.experiment.schema import Choice
from speckle_core.models.folder import load_model

_BATCH = 20


def transfer(model: Path, data: Path, output: Path) -> None:
    """Write how many patterns of `data` the network of `model` reads rightly, each way."""
    loaded = load_model(model, baselines=False)
    trained = loaded.record.grid
    network = loaded.pipeline.classifier
    window = [0.0, float(np.abs(trained.axis).max())]
    with Dataset.open(data) as dataset:
        if dataset.grid.size <= trained.size:
            raise DataError(f"needs patterns larger than {trained.size}²", where=str(data))
        rows = []
        for statistics in ("all pixels", "trained window"):
            steps = attrs.evolve(
                loaded.record.experiment,
                prepare=tuple(
                    Choice("standardize", {**c.options, "window": window})
                    if c.name == "standardize" and statistics != "all pixels"
                    else c
                    for c in loaded.record.prepare
                ),
            )
            prepared = dataset.patterns(steps=steps.build(only=("prepare",)).prepare)
            for area in ("all pixels", "trained window"):
                right = _count_right(network, prepared, trained.size if area != "all pixels" else 0)
                rows.append((statistics, area, right, len(prepared)))
        write_json(
            output / "transfer.json",
            loaded.record.experiment,
            classifier=loaded.record.experiment.to_dict()["classifier"],
            read={"seed": dataset.experiment.seed, "size": dataset.grid.size},
        )
    write_csv(output / "transfer.csv", ("statistics", "area read", "right", "of"), rows)


def _count_right(network: object, patterns: PatternSet, crop: int) -> int:
    """Return how many patterns are read rightly, of their central `crop` pixels or, with 0, all."""
    right = 0
    for batch, labels in patterns.batches(_BATCH):
        middle = patterns.grid.block(crop) if crop else (slice(None), slice(None))
        rates = network.predict_proba(np.ascontiguousarray(batch[:, *middle]))  # type: ignore[attr-defined]
        right += int((network.classes[rates.argmax(axis=1)] == labels).sum())  # type: ignore[attr-defined]
    return right

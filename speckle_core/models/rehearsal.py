"""A run on a handful of patterns before the long one: what would fail, how long it takes, how big.

Whatever can be known at the start is found here, all at once: a device that is not there, a
baseline that cannot read the grid, an explainer that the classifier gives nothing to, a full disk.
Nothing is kept.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from speckle_core.contracts.patterns import PatternSet
from speckle_core.contracts.roles import Classifier, Epoch
from speckle_core.data.dataset import Dataset
from speckle_core.errors import OutputError, SpeckleError
from speckle_core.experiment.experiment import READING, SIMULATION, Experiment
from speckle_core.experiment.pipeline import Pipeline

#: Two training patterns and a validation pattern of each of so many classes: as few as the
#: conformance kit trains on, so that every classifier that holds to its role can learn from them.
CLASSES, TRAIN, VALID = 4, 2, 1
#: The most that a batch holds when the training is timed.
_PIXELS = 1_000_000


@attrs.define
class Rehearsal:
    """What a few patterns told of an experiment.

    Parameters
    ----------
    patterns, size : int
        Of the whole data set; patterns are `size` pixels a side.
    data_bytes : int
        Space that the data set takes.
    seconds : dict of str to float
        Expected time of each stage of one process, without what was not measured.
    faults : list of SpeckleError
        What would stop the run; empty when nothing is known to.
    """

    patterns: int
    size: int
    data_bytes: int
    seconds: dict[str, float] = attrs.field(factory=dict)
    faults: list[SpeckleError] = attrs.field(factory=list)

    def tried(self, where: str, work: Callable[[], Any]) -> Any:
        """Return what `work` gives, or None and note its fault, which is named by `where`."""
        try:
            return work()
        except SpeckleError as error:
            place = where if error.where in (None, where) else f"{where}, {error.where}"
            self.faults.append(type(error)(error.what, where=place, hint=error.hint))
            return None


def rehearse(
    experiment: Experiment,
    folder: Path,
    *,
    only: tuple[str, ...] = SIMULATION + READING,
    dataset: Dataset | None = None,
) -> Rehearsal:
    """Simulate, fit and explain a few patterns of `experiment`, and say what that told.

    Parameters
    ----------
    experiment : Experiment
        What is to be run.
    folder : Path
        Where results will go; it need not be there.
    only : tuple of str
        The keys whose components are rehearsed, as for `Experiment.build`.
    dataset : Dataset, optional
        Where patterns are there already, so that none need be simulated.

    Raises
    ------
    SpeckleError
        When a component cannot be made, or a pattern cannot be simulated, read or prepared.
    """
    pipeline = experiment.build(only=only)
    size, counts, total = pipeline.grid.size, experiment.counts, len(experiment.labels())
    places = np.linspace(0, len(counts) - 1, min(CLASSES, len(counts))).round().astype(int)
    chosen = [counts[place] for place in np.unique(places)]
    found = Rehearsal(total, size, 0 if dataset else total * size**2 * 4)
    if dataset is None:
        pipeline.draw(counts[-1], 0, experiment.seed)  # what cannot be packed shows here first
        begun = time.perf_counter()
        patterns = pipeline.pattern_set(chosen, TRAIN + VALID, seed=experiment.seed)
        found.seconds["generate"] = (time.perf_counter() - begun) / len(patterns) * total
        _check_space(found, folder)
    else:
        own = [np.flatnonzero(dataset.labels == n)[: TRAIN + VALID] for n in chosen]
        some = dataset.patterns().subset(np.concatenate(own))
        raw = some.raw(np.arange(len(some)))
        patterns = PatternSet.from_arrays(raw, some.labels, some.grid, steps=pipeline.prepare)
    if "classifier" in only:
        sizes = experiment.split.sizes(total, len(counts))
        _fit_and_explain(found, experiment, pipeline, patterns, sizes)
    return found


def _check_space(found: Rehearsal, folder: Path) -> None:
    there = next(p for p in (folder.absolute(), *folder.absolute().parents) if p.exists())
    free = shutil.disk_usage(there).free
    if free < found.data_bytes:
        found.faults.append(
            OutputError(
                f"the data set needs {human_bytes(found.data_bytes)}, and "
                f"{human_bytes(free)} are free",
                where=str(folder),
                hint="Choose another folder with -o, or lower structure.patterns_per_count.",
            )
        )


def _fit_and_explain(
    found: Rehearsal,
    experiment: Experiment,
    pipeline: Pipeline,
    patterns: PatternSet,
    sizes: Mapping[str, int],
) -> None:
    number = np.arange(len(patterns)) - np.searchsorted(patterns.labels, patterns.labels)
    train, valid = (patterns.subset(np.flatnonzero(s)) for s in (number < TRAIN, number >= TRAIN))
    seed = experiment.seed
    for name, baseline in pipeline.baselines.items():
        spent = [0.0]
        while len(spent) < 3:  # the first time also imports what it needs
            begun = time.perf_counter()
            if not found.tried(f"baseline {name}", partial(baseline.fit, train, valid, seed=seed)):
                break
            spent.append(time.perf_counter() - begun)
        found.seconds[f"fit {name}"] = spent[-1] / len(patterns) * (sizes["train"] + sizes["valid"])
    key = experiment.classifier.key
    classifier, epochs = _short(experiment, pipeline)
    # A step costs something whatever its batch, so let it be a usual one.
    batch = getattr(classifier, "batch_size", len(train))
    most = max(len(train), min(batch, _PIXELS // patterns.grid.size**2))
    train = train.subset(np.resize(np.arange(len(train)), most))
    history = found.tried(f"classifier {key}", partial(classifier.fit, train, valid, seed=seed))
    if not history:
        return
    # Judging a pattern costs about a third of learning from it; the first epoch also warms up.
    each = _seconds(history) / (len(train) + len(valid) / 3)
    found.seconds[f"train {key}"] = epochs * each * (sizes["train"] + sizes["valid"] / 3)
    found.seconds[f"evaluate {key}"] = each * sizes["test"] / 3
    one, _ = train.batch([0])
    for name, explainer in pipeline.explainers.items():
        targets = np.zeros(1, dtype=np.int64)
        found.tried(f"explainer {name}", partial(explainer.explain, classifier, one, targets))


def _short(experiment: Experiment, pipeline: Pipeline) -> tuple[Classifier, int]:
    """Return the classifier with two epochs at most, and how many it has."""
    epochs = getattr(pipeline.classifier, "epochs", None)
    if not isinstance(epochs, int) or epochs <= 2:
        return pipeline.classifier, 1
    choice = experiment.classifier
    fewer = attrs.evolve(choice, options=choice.options | {"epochs": 2})
    made = attrs.evolve(experiment, classifier=fewer).build(only=("classifier",))
    return made.classifier, epochs


def _seconds(history: list[Epoch]) -> float:
    return max(history[-1].seconds, 1e-4)


def human_bytes(count: float) -> str:
    """Return a size as a person says it: ``3.2 GB``."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"

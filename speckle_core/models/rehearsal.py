"""Try an experiment on a few patterns before the long run: errors, time and size.

This finds all errors that can be known beforehand: a missing device, a baseline that cannot read
the grid, an explainer that the classifier does not support, a full disk. Nothing is kept.
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

from speckle_core.analysis.quantities import value_of
from speckle_core.contracts.patterns import PatternSet
from speckle_core.contracts.roles import Classifier, Epoch
from speckle_core.data.dataset import Dataset
from speckle_core.errors import OutputError, SpeckleError
from speckle_core.experiment.components import READING, SIMULATION
from speckle_core.experiment.experiment import Experiment
from speckle_core.experiment.pipeline import Pipeline
from speckle_core.models.values import require_values, with_target

#: Number of classes, and of training and validation patterns of each: as few as in the conformance
#: kit, so that every classifier that passes it can be fitted.
CLASSES, TRAIN, VALID = 4, 2, 1
#: Maximum number of pixels in a batch when training is timed.
_PIXELS = 1_000_000


@attrs.define
class Rehearsal:
    """Estimates for an experiment, and errors found in it.

    Parameters
    ----------
    patterns, size : int
        Number of patterns in the whole data set, and pixels along each side.
    data_bytes : int
        Size of the data set on disk.
    seconds : dict of str to float
        Expected time of each stage that was measured, in one process.
    faults : list of SpeckleError
        Errors that would stop the run.
    """

    patterns: int
    size: int
    data_bytes: int
    seconds: dict[str, float] = attrs.field(factory=dict)
    faults: list[SpeckleError] = attrs.field(factory=list)

    def attempt(self, where: str, work: Callable[[], Any]) -> Any:
        """Return the result of `work`; on an error record it at `where` and return None."""
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
    """Simulate, fit and explain a few patterns of `experiment`.

    Parameters
    ----------
    experiment : Experiment
        The experiment to rehearse.
    folder : Path
        Folder of the results; it need not exist.
    only : tuple of str
        The keys whose components are rehearsed, as for `Experiment.build`.
    dataset : Dataset, optional
        Existing patterns, which are then not simulated.

    Raises
    ------
    SpeckleError
        When a component cannot be created, or a pattern cannot be simulated, read or prepared.
    """
    pipeline = experiment.build(only=only)
    size, counts, total = pipeline.grid.size, experiment.counts, experiment.patterns
    places = np.linspace(0, len(counts) - 1, min(CLASSES, len(counts))).round().astype(int)
    chosen = [counts[place] for place in np.unique(places)]
    found = Rehearsal(total, size, 0 if dataset else total * _bytes_of(experiment, size))
    if dataset is None:
        pipeline.draw(
            counts[-1], 0, experiment.seed
        )  # fails here if the particles cannot be packed
        started = time.perf_counter()
        if experiment.target is not None:
            # Fails here if the quantity is not known of these bodies.
            drawn = [
                pipeline.draw(n, i, experiment.seed) for n in chosen for i in range(TRAIN + VALID)
            ]
            values = [value_of(experiment.target.quantity, one) for one in drawn]
        patterns = pipeline.pattern_set(chosen, TRAIN + VALID, seed=experiment.seed)
        if experiment.target is not None:
            patterns = patterns.with_values(values)
        found.seconds["generate"] = (time.perf_counter() - started) / len(patterns) * total
        _check_space(found, folder)
    else:
        own = [np.flatnonzero(dataset.labels == n)[: TRAIN + VALID] for n in chosen]
        whole = with_target(dataset.patterns(), dataset, experiment.target)
        some = whole.subset(np.concatenate(own))
        raw = some.raw(np.arange(len(some)))
        patterns = PatternSet.from_arrays(raw, some.labels, some.grid, steps=pipeline.prepare)
        if some.values is not None:
            patterns = patterns.with_values(some.values)
    if "classifier" in only:
        sizes = experiment.sizes()
        if experiment.fresh:
            _time_fresh(found, experiment, chosen, sizes["train"])
        _fit_and_explain(found, experiment, pipeline, patterns, sizes)
    return found


def _time_fresh(found: Rehearsal, experiment: Experiment, counts: list[int], size: int) -> None:
    """Time the simulation of training patterns, in every epoch and once for each baseline."""
    pipeline = experiment.build(only=SIMULATION + READING)
    started = time.perf_counter()
    pipeline.pattern_set(counts, TRAIN, seed=experiment.seed)
    each = (time.perf_counter() - started) / (TRAIN * len(counts))
    epochs = getattr(pipeline.classifier, "epochs", 1)
    times = (epochs if isinstance(epochs, int) else 1) + len(pipeline.baselines)
    found.seconds["simulate fresh patterns"] = each * size * times


def _bytes_of(experiment: Experiment, size: int) -> int:
    """Return about how many bytes a pattern takes on disk."""
    whole = size**2 * 4
    return {"half": whole // 2, "recipe": 1000}.get(experiment.storage.store, whole)


def _check_space(found: Rehearsal, folder: Path) -> None:
    existing = next(p for p in (folder.absolute(), *folder.absolute().parents) if p.exists())
    free = shutil.disk_usage(existing).free
    if free < found.data_bytes:
        found.faults.append(
            OutputError(
                f"the data set needs {human_bytes(found.data_bytes)}, but only "
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
    if experiment.target is not None:
        learners = {experiment.classifier.key: pipeline.classifier} | pipeline.baselines
        for name, learner in learners.items():
            found.attempt("target", partial(require_values, name, learner))
        if found.faults:
            return
    number = np.arange(len(patterns)) - np.searchsorted(patterns.labels, patterns.labels)
    train, valid = (patterns.subset(np.flatnonzero(s)) for s in (number < TRAIN, number >= TRAIN))
    seed = experiment.seed
    for name, baseline in pipeline.baselines.items():
        spent = [0.0]
        while len(spent) < 3:  # the first fit includes imports
            started = time.perf_counter()
            if not found.attempt(
                f"baseline {name}", partial(baseline.fit, train, valid, seed=seed)
            ):
                break
            spent.append(time.perf_counter() - started)
        found.seconds[f"fit {name}"] = spent[-1] / len(patterns) * (sizes["train"] + sizes["valid"])
    key = experiment.classifier.key
    classifier, epochs = _short(experiment, pipeline)
    # Time a batch of the usual size, since every step has a fixed cost.
    batch = getattr(classifier, "batch_size", len(train))
    most = max(len(train), min(batch, _PIXELS // patterns.grid.size**2))
    train = train.subset(np.resize(np.arange(len(train)), most))
    history = found.attempt(f"classifier {key}", partial(classifier.fit, train, valid, seed=seed))
    if not history:
        return
    # Predicting a pattern costs about a third of training on it; the first epoch includes warm-up.
    each = _seconds(history) / (len(train) + len(valid) / 3)
    found.seconds[f"train {key}"] = epochs * each * (sizes["train"] + sizes["valid"] / 3)
    found.seconds[f"evaluate {key}"] = each * sizes["test"] / 3
    one, _ = train.batch([0])
    for name, explainer in pipeline.explainers.items():
        targets = np.zeros(1, dtype=np.int64)
        found.attempt(f"explainer {name}", partial(explainer.explain, classifier, one, targets))


def _short(experiment: Experiment, pipeline: Pipeline) -> tuple[Classifier, int]:
    """Return the classifier limited to two epochs, and its actual number of epochs."""
    epochs = getattr(pipeline.classifier, "epochs", None)
    if not isinstance(epochs, int) or epochs <= 2:
        return pipeline.classifier, 1
    choice = experiment.classifier
    fewer = attrs.evolve(choice, options=choice.options | {"epochs": 2})
    pipeline = attrs.evolve(experiment, classifier=fewer).build(only=("classifier",))
    return pipeline.classifier, epochs


def _seconds(history: list[Epoch]) -> float:
    return max(history[-1].seconds, 1e-4)


def human_bytes(count: float) -> str:
    """Return a size for people: ``3.2 GB``."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"

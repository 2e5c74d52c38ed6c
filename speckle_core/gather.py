"""What a report and a picture of systems show, gathered from a run folder or an experiment.

It only brings together what other modules made; it draws nothing and computes no result. It knows
components by their roles: what a beamstop is, it finds out by asking the preprocessors.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core.atomic import write_text
from speckle_core.configuration import Configuration, FloatArray
from speckle_core.dataset.shard import simulator
from speckle_core.errors import PluginError, SpeckleError
from speckle_core.evaluate import Evaluation, verdict
from speckle_core.experiment import Experiment
from speckle_core.grid import KGrid
from speckle_core.plugins import plugin_manager
from speckle_core.progress import Progress
from speckle_core.roles import Preprocessor
from speckle_core.run import MANIFEST, Run

if TYPE_CHECKING:
    from speckle_core.dataset import Dataset

#: Systems that a gallery shows, as the paper's figure 2 does.
SHOWN = 6


@attrs.frozen(eq=False)
class Gallery:
    """Systems to draw side by side.

    Parameters
    ----------
    items : sequence of (n, Configuration, array (ny, nx))
        Number of bodies, where they lie, and raw intensity [area²]; NaN where a beamstop that is no
        rectangle hides it.
    grid : KGrid
        The grid of all patterns.
    blocked : pair of slices, optional
        The pixels [y, x] behind a rectangular beamstop.
    """

    items: Sequence[tuple[int, Configuration, FloatArray]]
    grid: KGrid
    blocked: tuple[slice, slice] | None


def gallery(experiment: Experiment, dataset: Dataset | None = None) -> Gallery:
    """Return up to six systems of `experiment`, spread over its classes.

    Configurations are drawn as the data set's were. Patterns are those of `dataset`, or simulated
    without one.

    Raises
    ------
    SpeckleError
        When a system cannot be drawn, or a pattern cannot be read.
    """
    pipeline = simulator(experiment)
    counts = experiment.counts
    places = np.unique(np.linspace(0, len(counts) - 1, min(SHOWN, len(counts))).round().astype(int))
    drawn = [pipeline.draw(counts[at], 0, experiment.seed) for at in places]
    if dataset is None:
        patterns = pipeline.simulate(drawn)
    else:
        patterns = dataset.patterns().raw(places * experiment.structure.patterns_per_count)
    mask = hidden(steps_of(experiment), pipeline.grid)
    block = rectangle(mask)
    if block is None:
        patterns = np.where(mask, np.float32(np.nan), patterns)
    items = [(counts[at], c, p) for at, c, p in zip(places, drawn, patterns, strict=True)]
    return Gallery(items, pipeline.grid, block)


def steps_of(experiment: Experiment) -> list[Preprocessor]:
    """Return the preprocessors of `experiment`, and nothing else of it."""
    create = plugin_manager().create
    return [
        create("preprocessor", step.name, step.options, where=f"prepare.{i}")
        for i, step in enumerate(experiment.prepare)
    ]


def hidden(steps: Sequence[Preprocessor], grid: KGrid) -> NDArray[np.bool_]:
    """Return which pixels the `steps` hide, (ny, nx): whatever falls there, one value comes out.

    Each step alone is given three different patterns of speckle statistics. So a beamstop of any
    shape in a stranger's plugin is found, and nothing need be agreed on.
    """
    patterns = np.random.default_rng(0).exponential(size=(3, *grid.shape))
    found = np.zeros(grid.shape, dtype=np.bool_)
    for step in steps:
        try:
            prepared = np.asarray(step(patterns.copy(), grid))
        except SpeckleError:
            continue  # it refuses such patterns, which says nothing of a beamstop
        if prepared.shape == patterns.shape:
            found |= np.ptp(prepared, axis=0) == 0
    return found


def rectangle(mask: NDArray[np.bool_]) -> tuple[slice, slice] | None:
    """Return the rectangle that `mask` fills, if it is one."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return None
    block = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
    return block if mask[block].all() else None


def judge(evaluations: Mapping[str, Evaluation]) -> str:
    """Return in plain words what the first evaluation is worth beside the others.

    Raises
    ------
    DataError
        When they are of different patterns.
    """
    (_, network), *others = evaluations.items()
    baselines = dict(others)
    phrases = {name: words for name in baselines if (words := phrase(name))}
    return verdict(network, baselines, summaries=phrases)


def phrase(name: str) -> str:
    """Return a classifier's summary as words in the middle of a sentence."""
    try:
        text = plugin_manager().find("classifier", name).component.summary.rstrip(". ")
    except PluginError:
        return ""
    # An acronym keeps its capitals.
    return text[:1].lower() + text[1:] if text[1:2].islower() or text[1:2] == " " else text


def write_report(run: Run, progress: Progress | None = None) -> Path:
    """Write the report of a run whose data, model and evaluations are there; return its path.

    Raises
    ------
    SpeckleError
        When one of them is missing or damaged, or the report cannot be written.
    """
    from speckle_core.audit import audit
    from speckle_core.dataset import Dataset
    from speckle_core.explained import sections
    from speckle_core.report import ReportInput, render
    from speckle_core.training import read_history

    dataset = Dataset.open(run.data)
    shown = gallery(run.experiment, dataset)
    evaluations = run.evaluations()
    (name, network), *baselines = evaluations.items()
    written = json.loads((run.folder / MANIFEST).read_text("utf-8"))
    explained = sections(run.explanations) if run.experiment.explainers else ()
    again = [str(run.folder / "experiment.toml"), "-o", f"{run.folder}-again"]
    report = ReportInput(
        title=run.experiment.name,
        experiment=run.experiment.to_dict(),
        seed=run.experiment.seed,
        gallery=shown.items,
        grid=shown.grid,
        blocked=shown.blocked,
        history=read_history(run.model),
        network=(name, network),
        baselines=dict(baselines),
        verdict=judge(evaluations),
        versions=written["versions"],
        timings=run.stages,
        command=f"speckle run {shlex.join(again)}",
        sections=[audit(dataset, dict(baselines), progress).section(), *explained],
    )
    write_text(run.report, render(report))
    return run.report

"""Everything that a report shows, given to it as one value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from speckle_core.analysis.evaluation import Evaluation
from speckle_core.contracts.arrays import FloatArray
from speckle_core.contracts.geometry import Configuration
from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.roles import Epoch
from speckle_core.report.blocks import Section
from speckle_core.report.examples import Examples


@attrs.frozen(eq=False, kw_only=True)
class ReportInput:
    """Everything a report shows.

    Parameters
    ----------
    title : str
        Title of the report.
    experiment : mapping
        The resolved experiment as plain TOML types, nested as in its file.
    seed : int
        The experiment's seed.
    gallery : sequence of (n, Configuration, array (ny, nx))
        Systems to show, with raw intensity [area²].
    grid : KGrid
        The grid of all patterns.
    blocked : pair of slices, optional
        The pixels [y, x] behind the beamstop.
    history : sequence of Epoch
        The network's training; may be empty for a classifier without epochs.
    network : (str, Evaluation)
        Name and evaluation of the run's classifier.
    baselines : mapping of str to Evaluation
        Evaluations of the baselines on the same patterns.
    verdict : str
        A sentence that says whether the task needs a network.
    versions : mapping of str to str
        Versions of the software.
    timings : mapping of str to float
        Stage → seconds.
    command : str
        Command that repeats the run.
    examples : Examples, optional
        Patterns to show of the classifier's answers.
    worth : sequence of str
        What the classifier's probabilities are worth, in sentences.
    sections : sequence of Section
        Sections from the audit and the explanations.
    """

    title: str
    experiment: Mapping[str, Any]
    seed: int
    gallery: Sequence[tuple[int, Configuration, FloatArray]]
    grid: KGrid
    blocked: tuple[slice, slice] | None
    history: Sequence[Epoch]
    network: tuple[str, Evaluation]
    baselines: Mapping[str, Evaluation]
    verdict: str
    versions: Mapping[str, str]
    timings: Mapping[str, float]
    command: str
    sections: Sequence[Section] = ()
    examples: Examples | None = None
    worth: Sequence[str] = ()

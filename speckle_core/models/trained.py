"""A trained model as a script uses it: one object that reads arrays and files.

What the command line prints of a pattern is made here as well, so that both say the same.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from speckle_core.analysis.quantities import title_of
from speckle_core.contracts.arrays import FloatArray, IntArray
from speckle_core.contracts.capabilities import SupportsGradients
from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.solution import Solution
from speckle_core.data.dataset import Dataset
from speckle_core.data.frame_options import FrameOptions
from speckle_core.data.measured import Measured
from speckle_core.errors import DataError, ModelError
from speckle_core.experiment.components import ANY_EXPLAINER
from speckle_core.experiment.experiment import Experiment
from speckle_core.experiment.sections import Target
from speckle_core.files import inside_run
from speckle_core.models import confidence
from speckle_core.models.answer import Answer, ValueAnswer
from speckle_core.models.answering import (
    baseline_numbers,
    baseline_values,
    class_answers,
    value_answers,
)
from speckle_core.models.folder import Model
from speckle_core.models.folder import load_model as load_whole
from speckle_core.models.novelty import TrainingProfiles
from speckle_core.models.shipped import model_folder
from speckle_core.models.standing import Standing, standings
from speckle_core.models.values import Intervals, load_intervals, read_values, require_values
from speckle_core.plugins.manager import plugin_manager

#: Patterns: an array (ny, nx) or (B, ny, nx) of raw intensity, or a file of them.
Patterns = ArrayLike | str | os.PathLike[str]
_Mask = NDArray[np.bool_] | None


class TrainedModel:
    """A trained model: preparation, classifier and baselines. Made by `load_model`.

    Patterns are given raw, as recorded: (ny, nx), (B, ny, nx) or the name of a file. The model
    prepares them itself. Their k step must be that of the training; their size may differ.

    Examples
    --------
    >>> from speckle_core import load_model
    >>> model = load_model("runs/quickstart")
    >>> model.predict("pattern.npy")
    array([7])
    >>> (answer,) = model.answer("pattern.npy")
    >>> answer.number, answer.probability > 0.9
    (7, True)
    """

    def __init__(self, folder: Path, model: Model) -> None:
        self.folder = folder
        self.pipeline = model.pipeline
        self.record = model.record
        self._profiles: TrainingProfiles | None = None
        self._worth = confidence.load(folder)
        self._intervals: Intervals | None = None

    def __repr__(self) -> str:
        """Return what it is and what it reads."""
        if self.target is not None:
            reads = title_of(self.target.quantity)
        else:
            reads = f"n = {self.classes[0]} to {self.classes[-1]}"
        return (
            f"<TrainedModel {self.record.classifier.key}, {reads}, "
            f"{self.grid.size} × {self.grid.size} pixels, {self.folder}>"
        )

    @property
    def target(self) -> Target | None:
        """The value that it reads in place of a number of particles as a class, or None."""
        return self.experiment.target

    @property
    def classes(self) -> IntArray:
        """The numbers of particles that it can answer, ascending, (classes,); none of a value."""
        return self.pipeline.classifier.classes

    @property
    def grid(self) -> KGrid:
        """The grid that it was trained on."""
        return self.record.grid

    @property
    def experiment(self) -> Experiment:
        """The experiment that it was trained by."""
        return self.record.experiment

    def predict_proba(
        self, patterns: Patterns, *, frames: FrameOptions | None = None
    ) -> NDArray[np.float64]:
        """Return the probability of each class, (B, classes).

        Parameters
        ----------
        patterns : array or path
            Raw patterns, or a file of them, each of which is brought to the model's grid.
        frames : FrameOptions, optional
            What is known of a file's frames beyond what it says.

        Raises
        ------
        DataError
            When a file cannot be read, or a pattern is not fit to be read.
        ModelError
            When the model reads a value; see `predict` and `values`.
        """
        self._require_classes()
        prepared, _ = self.prepared(patterns, frames)
        return np.asarray(self.pipeline.classifier.predict_proba(prepared), dtype=np.float64)

    def _require_classes(self) -> None:
        if self.target is not None:
            raise ModelError(
                f"reads the {title_of(self.target.quantity)}, not classes",
                where=str(self.folder),
                hint="Call predict or values; of prepared patterns, values_of.",
            )

    def predict(self, patterns: Patterns, *, frames: FrameOptions | None = None) -> NDArray[Any]:
        """Return the most probable number of particles of each pattern, or its value, (B,).

        Raises
        ------
        DataError
            When a file cannot be read, or a pattern is not fit to be read.
        """
        if self.target is not None:
            return self._values(self.prepared(patterns, frames)[0])[:, 0]
        columns = self.predict_proba(patterns, frames=frames).argmax(axis=1)
        return np.asarray(self.classes[columns])

    def _values(self, prepared: FloatArray) -> NDArray[np.float64]:
        """Return value and spread of prepared patterns, (B, 2)."""
        name = self.record.classifier.key
        return read_values(require_values(name, self.pipeline.classifier), prepared)

    def prepared(
        self, patterns: Patterns, frames: FrameOptions | None = None
    ) -> tuple[FloatArray, NDArray[np.bool_] | None]:
        """Return patterns as the classifier sees them, and where a pixel counts, both (B, ny, nx).

        Raises
        ------
        DataError
            When a file cannot be read, or a pattern is not fit to be read.
        """
        return self._ready(patterns, frames)[0][:2]

    def explain(
        self, patterns: Patterns, explainer: str | None = None, **options: Any
    ) -> FloatArray:
        """Return one map per pattern, (B, ny, nx), of what spoke for the predicted class or value.

        Parameters
        ----------
        patterns : array or path
            Raw patterns.
        explainer : str, optional
            Its name; by default ``saliency``, or ``occlusion`` of what gives no gradients.
        **options
            Options of the explainer.

        Raises
        ------
        PluginError
            When the classifier lacks what the explainer needs.
        """
        name = explainer or ("saliency" if self.explains else ANY_EXPLAINER)
        made = plugin_manager().create("explainer", name, options)
        prepared, _ = self.prepared(patterns)
        if self.target is not None:
            targets = np.zeros(len(prepared), dtype=np.int64)
        else:
            targets = self.pipeline.classifier.predict_proba(prepared).argmax(axis=1)
        maps: FloatArray = made.explain(self.pipeline.classifier, prepared, targets)
        return maps

    @property
    def explains(self) -> bool:
        """Whether its classifier gives the gradients that most maps are made of."""
        return isinstance(self.pipeline.classifier, SupportsGradients)

    def solve(self, pattern: Patterns, solver: str, *, seed: int = 0, **options: Any) -> Solution:
        """Return the bodies behind one pattern, as a solver finds them on the model's k step.

        Raises
        ------
        PluginError
            When there is no such solver.
        DataError
            When more than one pattern is given, or it cannot be solved.
        """
        raw = self._raw(pattern)
        if len(raw) != 1:
            raise DataError(f"a solver takes one pattern, not {len(raw)}")
        made = plugin_manager().create("solver", solver, options)
        found: Solution = made.solve(raw[0], attrs.evolve(self.grid, size=raw.shape[-1]), seed=seed)
        return found

    def answer(self, patterns: Patterns, *, frames: FrameOptions | None = None) -> list[Answer]:
        """Return for each pattern the two most probable numbers, and what speaks for and against.

        Raises
        ------
        DataError
            When a file cannot be read, or a pattern is not fit to be read.
        ModelError
            When the model reads a value; see `values`.
        """
        ready, known = self._ready(patterns, frames)
        return self.answers(*ready, step_known=known)

    def values(
        self, patterns: Patterns, *, frames: FrameOptions | None = None
    ) -> list[ValueAnswer]:
        """Return for each pattern the value with its interval, and what speaks for and against.

        Raises
        ------
        DataError
            When a file cannot be read, or a pattern is not fit to be read.
        ModelError
            When the model reads a number of particles as a class; see `answer`.
        """
        ready, known = self._ready(patterns, frames)
        return self.values_of(*ready, step_known=known)

    def _ready(
        self, patterns: Patterns, frames: FrameOptions | None
    ) -> tuple[tuple[FloatArray, _Mask, _Mask], list[bool] | None]:
        """Return prepared patterns, where they are valid and measured, and whose step is known."""
        if not isinstance(patterns, str | os.PathLike):
            return (self.pipeline.prepared(np.asarray(patterns)), None, None), None
        measured = Measured(Path(patterns), frames)
        found = [measured.on_grid(index, self.grid) for index in range(len(measured))]
        ready = [self.pipeline.prepared(one.pattern, valid=one.valid)[0] for one, _ in found]
        masks = (
            np.stack([one.valid for one, _ in found]),
            np.stack([o.measured for o, _ in found]),
        )
        return (np.stack(ready), *masks), [known for _, known in found]

    def answers(
        self,
        prepared: FloatArray,
        valid: NDArray[np.bool_] | None = None,
        measured: NDArray[np.bool_] | None = None,
        *,
        step_known: Sequence[bool] | None = None,
    ) -> list[Answer]:
        """Return the same for patterns that are prepared already; see `prepared`.

        Parameters
        ----------
        prepared : array, (B, ny, nx)
            As the classifier sees them.
        valid, measured : array of bool, (B, ny, nx), optional
            True where a pixel, or it or that at -k, was measured.
        step_known : sequence of bool, (B,), optional
            Whether the k step of each was stated, and is not only assumed to be the model's.
        """
        self._require_classes()
        rates = np.asarray(self.pipeline.classifier.predict_proba(prepared), dtype=np.float64)
        return class_answers(
            self.classes,
            rates,
            baseline_numbers(self.pipeline.baselines, prepared),
            self._standings(prepared, valid, measured, step_known),
            self._worth,
        )

    def values_of(
        self,
        prepared: FloatArray,
        valid: NDArray[np.bool_] | None = None,
        measured: NDArray[np.bool_] | None = None,
        *,
        step_known: Sequence[bool] | None = None,
    ) -> list[ValueAnswer]:
        """Return what `values` does for patterns that are prepared already; see `answers`."""
        target = self.target
        if target is None:
            raise ModelError(
                "reads classes, not a value",
                where=str(self.folder),
                hint="Call answer, or answers.",
            )
        return value_answers(
            target,
            self._values(prepared),
            self.intervals,
            self.record.classifier.key,
            baseline_values(self.pipeline.baselines, prepared),
            self._standings(prepared, valid, measured, step_known),
        )

    def _standings(
        self, prepared: FloatArray, valid: _Mask, measured: _Mask, known: Sequence[bool] | None
    ) -> list[Standing]:
        grid = attrs.evolve(self.grid, size=prepared.shape[-1])
        return standings(self.profiles, prepared, grid, valid, measured, known)

    @property
    def intervals(self) -> Intervals:
        """What the validation patterns told of the intervals of a value."""
        if self._intervals is None:
            self._intervals = load_intervals(self.folder)
        return self._intervals

    @property
    def profiles(self) -> TrainingProfiles:
        """The profiles of the training data, which patterns are measured by."""
        if self._profiles is None:
            self._profiles = TrainingProfiles.load(self.folder)
        return self._profiles

    def _raw(self, patterns: Patterns) -> FloatArray:
        if isinstance(patterns, str | os.PathLike):
            measured = Measured(Path(patterns))
            return np.stack(
                [measured.on_grid(i, self.grid)[0].pattern for i in range(len(measured))]
            )
        values = np.asarray(patterns)
        return values[None] if values.ndim == 2 else values


def load_model(path: str | os.PathLike[str], *, baselines: bool = True) -> TrainedModel:
    """Load the model in a folder: a model's own, or that of the run that trained it.

    Parameters
    ----------
    path : path
        A folder written by ``speckle train`` or ``speckle run``, or the name of a model that comes
        with the package, such as ``specklenet-poly``.
    baselines : bool
        Whether to load the simple rules that were fitted beside it.

    Raises
    ------
    ModelError
        When the folder is incomplete or damaged.
    PluginError
        When one of its components is not installed.
    """
    folder = model_folder(Path(path))
    return TrainedModel(folder, load_whole(folder, baselines=baselines))


def load_data(path: str | os.PathLike[str]) -> Dataset:
    """Open the data set in a folder: a data set's own, or that of a run.

    Raises
    ------
    DataError
        When there is no whole data set.

    Examples
    --------
    >>> from speckle_core import load_data
    >>> dataset = load_data("runs/quickstart")
    >>> dataset.patterns().classes.tolist()
    [2, 7, 12]
    """
    return Dataset.open(inside_run(Path(path), "data", "manifest.json"))

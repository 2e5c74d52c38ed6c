"""A trained model in a study: it reads the test patterns of every point and is not trained."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

import attrs

from speckle_core.analysis.evaluation import Evaluation
from speckle_core.data.dataset import Dataset
from speckle_core.errors import ExperimentError
from speckle_core.experiment.experiment import Experiment
from speckle_core.models.evaluate import assess, check_grid
from speckle_core.models.folder import RECORD, load_model, read_record
from speckle_core.models.novelty import TrainingProfiles
from speckle_core.models.shipped import model_folder
from speckle_core.notes import digest


@attrs.frozen
class TrainedReader:
    """A model folder as a column of a study.

    Parameters
    ----------
    name : str
        Name of the column: that of the folder.
    folder : Path
        The model folder.
    sha256 : str
        Of its record, which has those of its other files.
    seed : int
        Of its training patterns.
    steps : tuple of str
        Names of the preprocessors that it was trained with.
    trained_on : int
        Number of its training patterns.
    """

    name: str
    folder: Path = attrs.field(repr=False)
    sha256: str = attrs.field(repr=False)
    seed: int = attrs.field(repr=False)
    steps: tuple[str, ...] = attrs.field(repr=False)
    trained_on: int = attrs.field(repr=False)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """Return the reader of a model folder, a run folder or a model that ships, by name.

        Raises
        ------
        ModelError
            When there is no such model.
        """
        folder = model_folder(Path(path))
        record = read_record(folder)
        return cls(
            Path(path).resolve().name,
            folder,
            digest(folder / RECORD),
            record.experiment.seed,
            tuple(step.name for step in record.prepare),
            record.experiment.sizes()["train"],
        )

    def check(self, experiment: Experiment) -> None:
        """Check that the model may read the test patterns of `experiment`.

        They are prepared as the experiment says, so that a varied preparation reaches the model;
        the steps must be its own, with any options.

        Raises
        ------
        ExperimentError
            When they may be among its training patterns, or are prepared by other steps.
        """
        where = f"--models {self.name}"
        if experiment.seed == self.seed and experiment.imported is None:
            raise ExperimentError(
                f"was trained on patterns of the same seed, {self.seed}, which may be among those "
                "that it is to read",
                where=where,
                hint="Give the study a seed of its own with --set seed=NUMBER.",
            )
        steps = tuple(step.name for step in experiment.prepare)
        if steps != self.steps:
            raise ExperimentError(
                f"reads patterns prepared by {_spell(self.steps)}, not by {_spell(steps)}",
                where=where,
            )

    def read(self, experiment: Experiment, dataset: Dataset) -> tuple[Evaluation, int | None]:
        """Return what it reads of the test part, and how many patterns are far from its training.

        The number is None where that cannot be measured.

        Raises
        ------
        DataError
            When it cannot read patterns of this grid, or does not know their labels.
        ModelError
            When the model is damaged.
        """
        model = load_model(self.folder, baselines=False)
        check_grid(model, dataset)
        prepared = dataset.patterns(steps=experiment.build(only=("prepare",)).prepare)
        patterns = prepared.subset(experiment.parts(dataset.labels)["test"])
        (evaluation,) = assess(model, patterns).values()
        return evaluation, TrainingProfiles.load(self.folder).count_far(patterns)


def _spell(steps: Iterable[str]) -> str:
    return ", ".join(steps) or "nothing"


def open_readers(
    paths: Iterable[str | os.PathLike[str]], taken: Iterable[str] = ()
) -> Mapping[str, TrainedReader]:
    """Return the models of a study by name.

    Raises
    ------
    ModelError
        When one is not a model.
    ExperimentError
        When two columns would have the same name; `taken` are those of the classifiers.
    """
    found: dict[str, TrainedReader] = {}
    for path in paths:
        reader = TrainedReader.open(path)
        if reader.name in found or reader.name in taken:
            raise ExperimentError(
                f"two columns are called {reader.name!r}",
                where="--models",
                hint="Rename the folder of one.",
            )
        found[reader.name] = reader
    return found

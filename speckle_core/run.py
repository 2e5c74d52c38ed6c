"""A run folder: an experiment from data to report, stage by stage, resumable at each stage.

``run.json`` records the experiment and the finished stages; each stage can itself resume where it
was interrupted. The stages are implemented in the packages below.
"""

from __future__ import annotations

import contextlib
import os
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from speckle_core.analysis.evaluation import Evaluation
from speckle_core.analysis.value_evaluation import ValueEvaluation
from speckle_core.contracts.progress import Progress
from speckle_core.data.dataset import Dataset
from speckle_core.data.generate import generate
from speckle_core.data.journal import NAME as JOURNAL
from speckle_core.data.journal import Journal
from speckle_core.data.manifest import MASTER
from speckle_core.data.manifest import NAME as DATA_MANIFEST
from speckle_core.data.verify import verify
from speckle_core.errors import DamageWarning, DataError, OutputError
from speckle_core.files import LOCK, check_inside, clear, make_folder
from speckle_core.locks import lock_folder, remove_stale_lock
from speckle_core.models.evaluate import assess, assess_values, part_of
from speckle_core.models.folder import RECORD, load_model
from speckle_core.models.tensorboard import require_tensorboard
from speckle_core.models.torchrun import team_size
from speckle_core.models.train import train
from speckle_core.run_folder import RunFolder
from speckle_core.run_report import write_report
from speckle_core.solve.report_section import recipe_of, solve_some
from speckle_core.solve.solving import Recipe

DATA_FILES = (f"data/{DATA_MANIFEST}", f"data/{MASTER}")


class Run(RunFolder):
    """An experiment in its folder; `execute` runs its stages."""

    def execute(
        self,
        *,
        workers: int | None = None,
        progress: Progress | None = None,
        tensorboard: bool = False,
    ) -> None:
        """Run the unfinished stages: data, model, evaluation, solutions, explanations, report.

        With `tensorboard`, training writes TensorBoard event files beside the model.
        """
        if team_size() > 1:
            raise OutputError(
                "speckle run uses one process, but torchrun has started several",
                where=str(self.folder),
                hint="Use speckle generate, then speckle train with torchrun.",
            )
        progress = progress or Progress()
        if tensorboard:
            require_tensorboard()
        with lock_folder(self.folder, "run"):
            # Another process may have written here since `begin`.
            known = Run.open(self.folder)
            self.stages, self.files = known.stages, known.files
            self._execute(workers, progress, tensorboard)

    def _execute(self, workers: int | None, progress: Progress, tensorboard: bool) -> None:
        _tidy_up(self)

        def run_generate() -> None:
            progress.start("generate", self.experiment.patterns)
            generate(self.experiment, self.data, workers=workers, on_progress=progress.advance)
            progress.finish()

        def run_train() -> None:
            dataset = Dataset.open(self.data)
            train(self.experiment, dataset, self.model, progress, tensorboard=tensorboard)

        def run_evaluate() -> None:
            model = load_model(self.model)
            patterns = part_of(model, Dataset.open(self.data), "test")
            found: Mapping[str, Evaluation | ValueEvaluation]
            if self.experiment.target is None:
                found = assess(model, patterns, progress)
            else:
                found = assess_values(model, self.model, patterns, progress)
            for name, evaluation in found.items():
                place = self.folder / "evaluation" / name
                evaluation.save(make_folder(place, within=self.folder))

        def run_explain() -> None:
            from speckle_core.explain.folder import explain_model

            explainers = self.experiment.build(only=("explainers",)).explainers
            model, dataset = load_model(self.model, baselines=False), Dataset.open(self.data)
            explain_model(model, dataset, explainers, self.explanations, progress=progress)

        def run_solve(recipe: Recipe) -> None:
            folder = make_folder(self.solutions, within=self.folder)
            dataset = Dataset.open(self.data)
            solve_some(dataset, recipe, folder, workers=workers, progress=progress)

        self._run_stage("generate", run_generate, DATA_FILES)
        self._run_stage("train", run_train, ["model"])
        self._run_stage("evaluate", run_evaluate, ["evaluation"])
        made = self.experiment.build(only=("classifier", "baselines"))
        if (solver := recipe_of([made.classifier, *made.baselines.values()])) is not None:
            self._run_stage("solve", lambda: run_solve(solver), [self.solutions.name])
        if self.experiment.explainers:
            self._run_stage("explain", run_explain, ["explanations"])
        self._run_stage("report", lambda: write_report(self, progress), [self.report.name])

    def _run_stage(self, name: str, work: Callable[[], object], parts: Sequence[str]) -> None:
        """Run a stage that is unfinished, or whose files below `parts` are missing or damaged."""
        for part in parts:
            check_inside(self.folder / part, self.folder)
        if name in self.stages:
            found = self.find_damage(name, parts)
            if not found:
                return
            path, what = next(iter(found.items()))
            warnings.warn(
                f"{self.folder / path}: {what}; {name} is repeated", DamageWarning, stacklevel=2
            )
            _make_way(self, name, found)
        begun = time.perf_counter()
        work()
        self.finish(name, time.perf_counter() - begun, parts)


def _tidy_up(run: Run) -> None:
    """Remove what an interrupted command left beside the finished data and model."""
    if "train" in run.stages:
        remove_stale_lock(run.model)
    if "generate" in run.stages and any((run.data / name).exists() for name in (LOCK, JOURNAL)):
        with contextlib.suppress(OutputError), lock_folder(run.data, "clean up"):
            Journal(run.data).remove()


def _make_way(run: Run, stage: str, found: Mapping[str, str]) -> None:
    """Remove or repair what would prevent a damaged stage from being repeated."""
    if stage == "generate":
        try:
            verify(run.data, repair=True)
        except DataError:
            clear(make_folder(run.data, within=run.folder))
    elif stage == "train":
        if "model/training.json" in found:
            clear(make_folder(run.model, within=run.folder))
        # Training resumes from an intact checkpoint.
        (run.model / RECORD).unlink(missing_ok=True)


def load_run(path: str | os.PathLike[str]) -> Run:
    """Open the run in a folder that ``speckle run`` wrote.

    Its parts are ``run.experiment``, ``run.evaluations()``, and the paths ``run.data``,
    ``run.model`` and ``run.report``, for `load_data` and `load_model`.

    Raises
    ------
    OutputError
        When it is not a speckle run folder.

    Examples
    --------
    >>> from speckle_core import load_run
    >>> run = load_run("runs/quickstart")
    >>> list(run.stages)
    ['generate', 'train', 'evaluate', 'report']
    >>> list(run.evaluations())
    ['radial-lda', 'first-moment']
    """
    return Run.open(Path(path))

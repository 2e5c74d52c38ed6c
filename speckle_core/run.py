"""A run folder: an experiment from data to report, stage by stage, resumable at each stage.

``run.json`` records the experiment and the finished stages; each stage can itself resume where it
was interrupted. The stages are implemented in the packages below.
"""

from __future__ import annotations

import json
import shlex
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs

from speckle_core.analysis.evaluation import Evaluation
from speckle_core.contracts.progress import Progress
from speckle_core.data.dataset import Dataset
from speckle_core.data.generate import generate
from speckle_core.errors import OutputError
from speckle_core.experiment.experiment import Experiment
from speckle_core.experiment.provenance import versions
from speckle_core.experiment.schema import reading_keys
from speckle_core.files import empty, make_folder, sweep, write_text
from speckle_core.models.evaluate import assess, part_of, verdict_of
from speckle_core.models.folder import load_model
from speckle_core.models.tensorboard import require_tensorboard
from speckle_core.models.torchrun import team_size
from speckle_core.models.train import train

FORMAT = 1
MANIFEST = "run.json"


@attrs.define
class Run:
    """An experiment and its run folder.

    Parameters
    ----------
    folder : Path
        With ``data``, ``model``, ``evaluation``, ``explanations``, ``report.html``, ``run.json``.
    experiment : Experiment
        Resolved: every default written out.
    stages : dict
        Duration of each finished stage [s], by name.
    """

    folder: Path
    experiment: Experiment
    stages: dict[str, float] = attrs.field(factory=dict)

    @classmethod
    def begin(cls, experiment: Experiment, folder: Path, *, fresh: bool = False) -> Run:
        """Return the run of `experiment` in `folder`: a new one, or the one to resume.

        With `fresh`, an earlier run in `folder` is removed first; any other content is refused.

        Raises
        ------
        OutputError
            When the folder contains the run of another experiment, or something else.
        """
        known = cls._earlier(experiment, folder, fresh=fresh)
        if known is not None:
            sweep(folder)
            return known
        if fresh and not empty(folder):
            shutil.rmtree(folder)
        resolved = experiment.resolved()
        sweep(make_folder(folder))
        run = cls(folder, resolved)
        run._write()
        write_text(folder / "experiment.toml", resolved.to_toml())
        return run

    @classmethod
    def known_stages(cls, experiment: Experiment, folder: Path, *, fresh: bool) -> list[str]:
        """Return the stages that `begin` would find done in `folder`; nothing is written.

        Raises
        ------
        OutputError
            When the folder contains the run of another experiment, or something else.
        """
        known = cls._earlier(experiment, folder, fresh=fresh)
        return [] if known is None else list(known.stages)

    @classmethod
    def _earlier(cls, experiment: Experiment, folder: Path, *, fresh: bool) -> Run | None:
        """Return the run of `experiment` that is in `folder` to go on with, if there is one."""
        if folder.exists() and not folder.is_dir():
            raise OutputError("is a file, not a folder", where=str(folder))
        if empty(folder):
            return None
        known = cls.open(folder)
        if fresh:
            return None
        if found := experiment.resolved().departures(known.experiment):
            raise OutputError(
                f"contains the run of another experiment; they differ in {', '.join(found)}",
                where=str(folder),
                hint="Choose another folder with -o, or start over with --fresh.",
            )
        return known

    @classmethod
    def open(cls, folder: Path) -> Run:
        """Open the run in `folder`.

        Raises
        ------
        OutputError
            When it is not a speckle run folder.
        """
        try:
            data = json.loads((folder / MANIFEST).read_text("utf-8"))
            if data["format"] != FORMAT:
                raise ValueError(f"format {data['format']!r}, not {FORMAT}")
            stages = {name: float(stage["seconds"]) for name, stage in data["stages"].items()}
            experiment = Experiment.from_dict(data["experiment"], str(folder / MANIFEST))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise OutputError(
                f"is not a speckle run folder ({error})",
                where=str(folder),
                hint="Choose another folder with -o; nothing in this one was changed.",
            ) from error
        return cls(folder, experiment, stages)

    def _write(self) -> None:
        data: dict[str, Any] = {
            "format": FORMAT,
            "experiment": self.experiment.to_dict(),
            "versions": versions(self.experiment),
            "stages": {name: {"seconds": seconds} for name, seconds in self.stages.items()},
        }
        write_text(self.folder / MANIFEST, json.dumps(data, indent=2) + "\n")

    def execute(
        self,
        *,
        workers: int | None = None,
        progress: Progress | None = None,
        tensorboard: bool = False,
    ) -> None:
        """Run the unfinished stages: data, model, evaluation, explanations, report.

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

        def run_generate() -> None:
            progress.start("generate", len(self.experiment.labels()))
            generate(self.experiment, self.data, workers=workers, on_progress=progress.advance)
            progress.finish()

        def run_train() -> None:
            dataset = Dataset.open(self.data)
            train(self.experiment, dataset, self.model, progress, tensorboard=tensorboard)

        def run_evaluate() -> None:
            model = load_model(self.model)
            patterns = part_of(model, Dataset.open(self.data), "test")
            for name, evaluation in assess(model, patterns, progress).items():
                evaluation.save(make_folder(self.folder / "evaluation" / name))

        def run_explain() -> None:
            from speckle_core.explain.folder import explain_model

            explainers = self.experiment.build(only=("explainers",)).explainers
            model, dataset = load_model(self.model, baselines=False), Dataset.open(self.data)
            explain_model(model, dataset, explainers, self.explanations, progress=progress)

        self._run_stage("generate", run_generate)
        self._run_stage("train", run_train)
        self._run_stage("evaluate", run_evaluate)
        if self.experiment.explainers:
            self._run_stage("explain", run_explain)
        self._run_stage("report", lambda: write_report(self, progress))

    def _run_stage(self, name: str, work: Callable[[], object]) -> None:
        if name in self.stages:
            return
        started = time.perf_counter()
        work()
        self.stages[name] = time.perf_counter() - started
        self._write()

    @property
    def data(self) -> Path:
        """The data set's folder."""
        return self.folder / "data"

    @property
    def model(self) -> Path:
        """The model's folder."""
        return self.folder / "model"

    @property
    def explanations(self) -> Path:
        """The folder of the maps and their analysis."""
        return self.folder / "explanations"

    @property
    def report(self) -> Path:
        """The report's file."""
        return self.folder / "report.html"

    def evaluations(self) -> dict[str, Evaluation]:
        """Return the evaluations: the classifier first, then every baseline."""
        keys = reading_keys(
            self.experiment.classifier.key, [c.key for c in self.experiment.baselines]
        )
        return {key: Evaluation.load(self.folder / "evaluation" / key) for key in keys}


def write_report(run: Run, progress: Progress | None = None) -> Path:
    """Write the report of a run that has data, model and evaluations; return its path.

    Raises
    ------
    SpeckleError
        When one of them is missing or damaged, or the report cannot be written.
    """
    from speckle_core.audit.findings import audit
    from speckle_core.explain.report_section import sections
    from speckle_core.models.train import read_history
    from speckle_core.report.gallery import gallery
    from speckle_core.report.html import ReportInput, render

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
        verdict=verdict_of(evaluations),
        versions=written["versions"],
        timings=run.stages,
        command=f"speckle run {shlex.join(again)}",
        sections=[audit(dataset, dict(baselines), progress).section(), *explained],
    )
    write_text(run.report, render(report))
    return run.report

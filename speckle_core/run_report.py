"""Write the report of a finished run from the files of its stages."""

from __future__ import annotations

import shlex
from pathlib import Path

from speckle_core.contracts.progress import Progress
from speckle_core.data.dataset import Dataset
from speckle_core.files import write_text
from speckle_core.models.evaluate import verdict_of
from speckle_core.notes import read_json
from speckle_core.run_folder import MANIFEST, TOML, RunFolder


def write_report(run: RunFolder, progress: Progress | None = None) -> Path:
    """Write the report of a run that has data, model and evaluations; return its path.

    Raises
    ------
    SpeckleError
        When one of them is missing or damaged, or the report cannot be written.
    """
    from speckle_core.analysis.confidence import confidence_of, sentences
    from speckle_core.audit.findings import audit
    from speckle_core.explain.report_section import sections
    from speckle_core.models import confidence
    from speckle_core.models.history import read_history
    from speckle_core.report.examples import collect
    from speckle_core.report.gallery import gallery
    from speckle_core.report.html import ReportInput, render
    from speckle_core.solve.report_section import section as solved_section

    if run.experiment.target is not None:
        return _write_value_report(run)
    dataset = Dataset.open(run.data)
    shown = gallery(run.experiment, dataset)
    evaluations = run.evaluations()
    (name, network), *baselines = evaluations.items()
    written = read_json(run.folder / MANIFEST)
    explained = sections(run.explanations) if run.experiment.explainers else ()
    solved = [solved_section(run.solutions)] if "solve" in run.stages else []
    test = run.experiment.parts(dataset.labels)["test"]
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
        worth=sentences(confidence_of(network, confidence.load(run.model))),
        versions=written["versions"],
        timings=run.stages,
        command=_again(run),
        examples=collect(network, dataset.patterns().subset(test)),
        sections=[audit(dataset, dict(baselines), progress).section(), *solved, *explained],
    )
    write_text(run.report, render(report))
    return run.report


def _again(run: RunFolder) -> str:
    """Return the command that repeats a run."""
    return f"speckle run {shlex.join([str(run.folder / TOML), '-o', f'{run.folder}-again'])}"


def _write_value_report(run: RunFolder) -> Path:
    """Write the report of a run that learned a value."""
    from speckle_core.models.history import read_history
    from speckle_core.models.values import load_intervals
    from speckle_core.report.html import render_page
    from speckle_core.report.value_page import value_paragraphs, value_pictures, value_tables

    evaluations, learned = run.value_evaluations(), load_intervals(run.model)
    experiment = run.experiment.to_dict()
    history = [epoch for epoch in read_history(run.model) if epoch.of > 1]
    page = render_page(
        run.experiment.name,
        list(value_paragraphs(experiment, run.experiment.counts, evaluations, _again(run))),
        list(value_pictures(evaluations, history)),
        list(value_tables(evaluations, experiment, run.experiment.kgrid(), learned.span)),
        run.experiment.to_toml(),
    )
    write_text(run.report, page)
    return run.report

"""``speckle study``: one experiment at many values of its options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from speckle_core.cli.failure import say, usage
from speckle_core.cli.options import (
    ExperimentName,
    Json,
    Settings,
    Workers,
    load_experiment,
    output_folder,
)
from speckle_core.cli.output import echo
from speckle_core.errors import (
    AmbiguousComponentError,
    ExperimentError,
    OptionError,
    UnknownComponentError,
)


def study(
    experiment: ExperimentName,
    vary: Annotated[
        list[str],
        typer.Option(
            metavar="PATH=VALUES",
            help="A key and its values, separated by commas; can be repeated: every combination.",
        ),
    ],
    classifiers: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="Classifiers to compare. Default: that of the experiment and its baselines, or "
            "with --models none.",
            show_default=False,
        ),
    ] = None,
    models: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="Trained models that read the same test patterns: folders, or names from speckle "
            "models list.",
            show_default=False,
        ),
    ] = None,
    settings: Settings = None,
    output: Annotated[
        Path | None, output_folder("Folder of the study. Default: studies/NAME.")
    ] = None,
    workers: Workers = None,
    keep_data: Annotated[
        bool, typer.Option("--keep-data", metavar="", help="Keep the data sets of all points.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", metavar="", help="Only check, and list the points.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Run one experiment at many values of its options, and compare classifiers.

    For each combination of values the patterns are simulated, each classifier is trained on
    them, and read on the test patterns. Points that share their patterns share a data set. After
    an interruption the same command goes on; with more values it computes only what is new.

    In DIR: study.csv, study.png and study.html, a page with every number and its interval.

    For example:

      speckle study quickstart --vary structure.patterns_per_count=50,100,200
      speckle study paper-poly-257 --vary grid.size=65,129,257
      speckle study realistic-poly-257 --vary detector.photons=1e4,1e5,1e6
    """
    from speckle_core.cli.output import print_json
    from speckle_core.cli.progress import show_progress
    from speckle_core.cli.studies import print_points, print_results
    from speckle_core.study.folder import run_study, summary
    from speckle_core.study.points import Axis, points_of
    from speckle_core.study.trained import open_readers

    names, trained = _names(classifiers), _names(models)
    wrong = (ExperimentError, OptionError, UnknownComponentError, AmbiguousComponentError)
    with usage(*wrong):
        axes = [Axis.parse(text) for text in vary]
        base = load_experiment(experiment, settings, only=("structure", "scattering")).resolved()
        readers = open_readers(trained, names)
        points = points_of(experiment, settings or (), axes, names, readers)
    folder = output or Path("studies") / base.name
    if dry_run:
        print_points(axes, points, as_json=as_json)
        return
    with show_progress() as progress:
        results = run_study(
            base, axes, points, folder, workers=workers, keep_data=keep_data, progress=progress
        )
    if as_json:
        print_json({"folder": str(folder)} | summary(axes, results))
    else:
        print_results(axes, results)
        echo(f"\npage: {folder / 'study.html'}")
    failed = [result for result in results if result.error]
    for result in failed:
        values = ", ".join(f"{a.path}={v}" for a, v in zip(axes, result.values, strict=True))
        say(f"error: {values}, {result.classifier}: {result.error}")
    if failed:
        raise typer.Exit(1)


def _names(text: str | None) -> list[str]:
    return [name.strip() for name in text.split(",")] if text else []

"""``speckle run``: an experiment from data to report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from speckle_core.cli.failure import say
from speckle_core.cli.options import (
    ExperimentName,
    Json,
    Settings,
    Tensorboard,
    Workers,
    load_experiment,
)


def run(
    experiment: ExperimentName,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", metavar="DIR", help="The run's folder; by default runs/NAME.", show_default=False
        ),
    ] = None,
    settings: Settings = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Remove an earlier run there.")] = False,
    workers: Workers = None,
    tensorboard: Tensorboard = False,
    as_json: Json = False,
) -> None:
    """Do a whole experiment: simulate, train, evaluate, and write a report.

    A run that was cut short goes on where it stopped when the same command is given again.
    It ends with the accuracies, those of simple rules beside the network's, and the place of
    the report, one HTML file.

    For example:

      speckle run quickstart
      speckle run my-experiment.toml -o runs/first-try
      speckle run paper-mono-257 --set structure.patterns_per_count=100
    """
    from speckle_core.cli.output import (
        duration,
        evaluations_json,
        print_evaluations,
        print_json,
    )
    from speckle_core.cli.progress import watched
    from speckle_core.models.evaluate import judge
    from speckle_core.run import Run

    chosen = load_experiment(experiment, settings, lambda e: e.build())
    begun = Run.begin(chosen, output or Path("runs") / chosen.name, fresh=fresh)
    if begun.stages:
        say(f"{begun.folder}: done already: {', '.join(begun.stages)} (--fresh starts over)")
    with watched() as progress:
        begun.execute(workers=workers, progress=progress, tensorboard=tensorboard)
    evaluations = begun.evaluations()
    verdict = judge(evaluations)
    if as_json:
        more = {
            "experiment": begun.experiment.to_dict(),
            "folder": str(begun.folder),
            "report": str(begun.report),
            "seconds": begun.stages,
        }
        print_json(more | evaluations_json(evaluations, verdict))
        return
    print_evaluations(evaluations, verdict)
    typer.echo(f"\nreport: {begun.report} (made in {duration(sum(begun.stages.values()))})")

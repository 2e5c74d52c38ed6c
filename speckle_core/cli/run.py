"""``speckle run``: an experiment from data to report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from speckle_core.cli.failure import say
from speckle_core.cli.options import (
    DryRun,
    ExperimentName,
    Json,
    Settings,
    Tensorboard,
    Workers,
    load_experiment,
    output_folder,
)
from speckle_core.cli.output import echo


def run(
    experiment: ExperimentName,
    output: Annotated[Path | None, output_folder("Folder of the run. Default: runs/NAME.")] = None,
    settings: Settings = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", metavar="", help="Remove an earlier run first.")
    ] = False,
    workers: Workers = None,
    tensorboard: Tensorboard = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Run a whole experiment: simulate, train, evaluate, and write a report.

    After an interruption, the same command resumes the run. A new run is first tried on a few
    patterns, so that errors show at once. At the end it prints the accuracies of the network
    and of the baselines, and the path of the report, a single HTML file.

    For example:

      speckle run quickstart
      speckle run my-experiment.toml -o runs/first-try
      speckle run paper-mono-257 --set structure.patterns_per_count=100
      speckle run paper-mono-257 --dry-run
    """
    from speckle_core.analysis.confidence import confidence_of, sentences
    from speckle_core.cli.output import (
        evaluations_json,
        print_evaluations,
        print_json,
    )
    from speckle_core.cli.plan import check_start, print_plan
    from speckle_core.cli.progress import show_progress
    from speckle_core.cli.value_output import print_value_evaluations, value_evaluations_json
    from speckle_core.experiment.components import READING, SIMULATION
    from speckle_core.models import confidence
    from speckle_core.models.evaluate import verdict_of
    from speckle_core.models.tensorboard import require_tensorboard
    from speckle_core.models.torchrun import team_size
    from speckle_core.run import Run
    from speckle_core.words import duration

    chosen = load_experiment(experiment, settings)
    folder = output or Path("runs") / chosen.name
    if tensorboard:
        require_tensorboard()
    stages = Run.known_stages(chosen, folder, fresh=fresh)
    if stages and not dry_run:
        say(f"{folder}: already done: {', '.join(stages)} (--fresh starts over)")
    elif team_size() == 1:
        plan = check_start(chosen, folder, only=SIMULATION + READING, quiet=dry_run)
        if dry_run:
            print_plan(plan, folder, as_json=as_json)
            return
    started = Run.begin(chosen, folder, fresh=fresh)
    with show_progress() as progress:
        started.execute(workers=workers, progress=progress, tensorboard=tensorboard)
    values = started.experiment.target is not None
    evaluations = {} if values else started.evaluations()
    if as_json:
        more = {
            "experiment": started.experiment.to_dict(),
            "folder": str(started.folder),
            "report": str(started.report),
            "seconds": started.stages,
        }
        if values:
            print_json(more | value_evaluations_json(started.value_evaluations()))
        else:
            print_json(more | evaluations_json(evaluations, verdict_of(evaluations)))
        return
    if values:
        print_value_evaluations(started.value_evaluations())
    else:
        network = next(iter(evaluations.values()))
        worth = confidence_of(network, confidence.load(started.model))
        print_evaluations(evaluations, verdict_of(evaluations), sentences(worth))
    echo(f"\nreport: {started.report} (took {duration(sum(started.stages.values()))})")

"""``speckle generate``: simulate a data set on disk."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from speckle_core.cli.options import (
    DryRun,
    ExperimentName,
    Json,
    Settings,
    Workers,
    load_experiment,
)
from speckle_core.cli.output import echo
from speckle_core.words import counted


def generate(
    experiment: ExperimentName,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DATA_DIR", help="Folder of the data set.")
    ],
    settings: Settings = None,
    workers: Workers = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Simulate on a dask cluster, such as tcp://head:8786.",
            show_default=False,
        ),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="I/N",
            help="Simulate part I of N, as one job of an array; then run this without --shard.",
            show_default=False,
        ),
    ] = None,
    submit: Annotated[
        str | None,
        typer.Option(
            metavar="slurm|local",
            help="Simulate in jobs that submitit submits, and wait for them.",
            show_default=False,
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Most jobs of --submit. Default: 16.", show_default=False
        ),
    ] = None,
    job: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="What each job asks for, such as partition=cpu; can be repeated.",
            show_default=False,
        ),
    ] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Simulate the patterns of an experiment.

    The same experiment and seed give the same bytes, whatever the number of workers. After an
    interruption, the same command writes what is missing.

    For example:

      speckle generate paper-mono-257 -o data/mono
      speckle generate paper-mono-257 -o data/another --set seed=7
      speckle generate paper-mono-257 -o /shared/mono --scheduler tcp://head:8786
      speckle generate paper-mono-257 -o /shared/mono --shard 3/16
      speckle generate paper-mono-257 -o /shared/mono --submit slurm
    """
    from speckle_core.cli.cluster import connect_cluster
    from speckle_core.cli.failure import say, usage
    from speckle_core.cli.output import print_json
    from speckle_core.cli.parts import generate_one, read_jobs
    from speckle_core.cli.plan import check_start, print_plan
    from speckle_core.cli.progress import show_progress
    from speckle_core.data.generate import generate as generate_dataset
    from speckle_core.data.generate import patterns_there
    from speckle_core.data.jobs import submit_parts
    from speckle_core.errors import OptionError
    from speckle_core.experiment.components import SIMULATION
    from speckle_core.files import empty

    if workers is not None and scheduler is not None:
        raise typer.BadParameter("a dask cluster has its own workers: omit --workers")
    if sum(one is not None for one in (scheduler, shard, submit)) > 1:
        raise typer.BadParameter("give one of --scheduler, --shard and --submit")
    submission = read_jobs(submit, jobs, job, workers)
    chosen = load_experiment(experiment, settings, only=SIMULATION)
    if dry_run or empty(output):
        plan = check_start(chosen, output, only=SIMULATION, quiet=dry_run)
        if dry_run:
            print_plan(plan, output, as_json=as_json)
            return
    if shard is not None:
        generate_one(chosen, output, shard, workers, as_json=as_json)
        return
    with connect_cluster(scheduler) as executor, show_progress() as progress:
        # What is there already is not work of this call, and would make its rate a fiction.
        there, total = patterns_there(chosen, output), chosen.patterns
        if there < total:
            progress.start("generate", total - there)
        if submission is not None:
            with usage(OptionError):
                submit_parts(chosen, output, submission, on_progress=progress.advance, on_note=say)
        dataset = generate_dataset(
            chosen,
            output,
            workers=workers,
            executor=executor,
            # The first it tells of are those that were there.
            on_progress=skip_first(progress.advance),
        )
        if there < total:
            progress.finish()
        else:
            say(f"{output}: complete already")
    grid = dataset.grid
    if as_json:
        print_json(
            {"data": str(output), "patterns": len(dataset), "size": grid.size, "step": grid.step}
        )
        return
    echo(f"data: {output} ({counted(len(dataset), 'pattern')} of {grid.size} x {grid.size} pixels)")


def skip_first(advance: Callable[[int], None]) -> Callable[[int], None]:
    """Return `advance` so that its first call is passed over."""
    calls = itertools.count()
    return lambda amount: advance(amount) if next(calls) else None

"""``speckle generate``: simulate a data set on disk."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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

if TYPE_CHECKING:
    from speckle_core.experiment.experiment import Experiment


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
    """
    from speckle_core.cli.cluster import connect_cluster
    from speckle_core.cli.failure import say
    from speckle_core.cli.output import print_json
    from speckle_core.cli.plan import check_start, print_plan
    from speckle_core.cli.progress import show_progress
    from speckle_core.data.generate import generate as generate_dataset
    from speckle_core.data.generate import patterns_there
    from speckle_core.experiment.components import SIMULATION
    from speckle_core.files import empty

    if workers is not None and scheduler is not None:
        raise typer.BadParameter("a dask cluster has its own workers: omit --workers")
    chosen = load_experiment(experiment, settings, only=SIMULATION)
    if dry_run or empty(output):
        plan = check_start(chosen, output, only=SIMULATION, quiet=dry_run)
        if dry_run:
            print_plan(plan, output, as_json=as_json)
            return
    if shard is not None:
        if scheduler is not None:
            raise typer.BadParameter("a dask cluster distributes the work itself: omit --shard")
        _generate_part(chosen, output, shard, workers, as_json=as_json)
        return
    with connect_cluster(scheduler) as executor, show_progress() as progress:
        # What is there already is not work of this call, and would make its rate a fiction.
        there, total = patterns_there(chosen, output), chosen.patterns
        if there < total:
            progress.start("generate", total - there)
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


def _generate_part(
    chosen: Experiment, output: Path, shard: str, workers: int | None, *, as_json: bool
) -> None:
    from speckle_core.cli.output import print_json
    from speckle_core.cli.progress import show_progress
    from speckle_core.data.parts import Part, generate_part, missing_in

    part = Part.parse(shard)
    missing, patterns = missing_in(chosen, output, part)
    with show_progress() as progress:
        if missing:
            progress.start("generate", sum(one.count for one in missing))
        generate_part(chosen, output, part, workers=workers, on_progress=progress.advance)
        if missing:
            progress.finish()
    if as_json:
        print_json({"data": str(output), "part": part.number, "of": part.of, "patterns": patterns})
        return
    echo(f"data: {output} (part {part.number} of {part.of}: {counted(patterns, 'pattern')})")


def skip_first(advance: Callable[[int], None]) -> Callable[[int], None]:
    """Return `advance` so that its first call is passed over."""
    calls = itertools.count()
    return lambda amount: advance(amount) if next(calls) else None

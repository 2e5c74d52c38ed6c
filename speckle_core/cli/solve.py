"""``speckle solve``: the bodies behind patterns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from speckle_core.cli.failure import say, usage
from speckle_core.cli.options import Inside, Json, Workers
from speckle_core.errors import DataError, ExperimentError

if TYPE_CHECKING:
    from speckle_core.solve.source import Source


def solve(
    what: Annotated[
        Path,
        typer.Argument(
            metavar="FILE-OR-DATA_DIR",
            help="Patterns as .h5, .npy, .mat or .tif, or the folder of a data set.",
        ),
    ],
    index: Annotated[
        list[int] | None,
        typer.Option(
            metavar="I", help="Solve this pattern; may be given again.", show_default=False
        ),
    ] = None,
    mask: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Pixels that do not count, as pyFAI has them: non-zero is bad.",
            show_default=False,
        ),
    ] = None,
    solver: Annotated[str, typer.Option(metavar="NAME", help="The solver.")] = "patterson",
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Set an option of the solver; may be given again.",
            show_default=False,
        ),
    ] = None,
    like: Annotated[
        str | None,
        typer.Option(
            metavar="EXPERIMENT",
            help="The file's patterns lie on the grid of this preset or TOML file.",
            show_default=False,
        ),
    ] = None,
    step: Annotated[
        float | None,
        typer.Option(
            metavar="K", help="Distance of the file's pixels in k, 1/length.", show_default=False
        ),
    ] = None,
    dataset: Inside = None,
    workers: Workers = None,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="One seed, one answer.")] = 0,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="DIR", help="Keep bodies and pictures here."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Find the bodies behind patterns: where they lie and how large they are.

    A pattern is called solved when the bodies explain it down to its noise, with neither one too
    many nor one missing. No pattern says where in the box the bodies lie, nor tells a structure
    from its inversion through a point. A data set knows its grid and the true bodies; for a file,
    name the grid.

    In DIR: solution.json, bodies.csv, and of each pattern a picture and a NeXus file. After an
    interruption the same command solves what is missing.

    For example:

      speckle solve pattern.npy --like paper-poly-257 -o solved
      speckle solve frame.tif --step 0.00157 --mask bad.npy --set shape=spheres
      speckle solve data/poly --index 0 --index 700 -o solved
    """
    from speckle_core.cli.output import print_json
    from speckle_core.cli.progress import show_progress
    from speckle_core.cli.solutions import print_solutions, solutions_json
    from speckle_core.experiment.presets import parse_setting
    from speckle_core.solve.folder import solve as solve_patterns
    from speckle_core.solve.solving import Recipe

    with usage(ExperimentError):
        recipe = Recipe(solver, dict(parse_setting(text) for text in settings or ()), seed)
        recipe.solver()
    source = _source(what, like, step, dataset, mask)
    chosen = _chosen(index, len(source), what)
    with show_progress() as progress:
        answers = solve_patterns(source, chosen, recipe, output, workers=workers, progress=progress)
    failed = [answer for answer in answers if answer.error is not None]
    if len(answers) == 1 and failed and failed[0].error is not None:
        raise failed[0].error
    if as_json:
        found = solutions_json(answers)
        print_json({"source": str(what), "solver": solver, "patterns": found})
    else:
        print_solutions(answers)
        if output is not None:
            typer.echo(f"\nbodies and pictures: {output}")
    for answer in failed:
        say(f"error: {answer.error}")
    if failed:
        raise typer.Exit(1)


def _source(
    what: Path, like: str | None, step: float | None, dataset: str | None, mask: Path | None
) -> Source:
    from speckle_core.cli.options import load_experiment
    from speckle_core.solve.source import DatasetSource, FileSource, read_mask

    if like is not None and step is not None:
        raise typer.BadParameter("give either --like or --step")
    counts = None if mask is None else read_mask(mask)
    if what.is_dir():
        if like is not None or step is not None or dataset is not None:
            raise typer.BadParameter("a data set has its own grid: leave --like and --step out")
        return DatasetSource.open(what, mask=counts)
    experiment = None if like is None else load_experiment(like, None, only=("structure",))
    return FileSource.open(what, dataset=dataset, like=experiment, step=step, mask=counts)


def _chosen(index: list[int] | None, patterns: int, what: Path) -> list[int]:
    for place in index or ():
        if not 0 <= place < patterns:
            raise DataError(
                f"there is no pattern {place}",
                where="--index",
                hint=f"{what} has 0 to {patterns - 1}.",
            )
    return sorted(set(index)) if index else list(range(patterns))

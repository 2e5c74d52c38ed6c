"""``speckle solve``: the bodies behind patterns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from speckle_core.cli.failure import say, usage
from speckle_core.cli.frame_options import with_frame_options
from speckle_core.cli.options import Json, Workers, data_folder, output_folder
from speckle_core.cli.output import echo
from speckle_core.errors import DataError, ExperimentError

if TYPE_CHECKING:
    from speckle_core.data.frame_options import FrameOptions
    from speckle_core.solve.source import Source


@with_frame_options
def solve(
    what: Annotated[
        Path,
        typer.Argument(
            metavar="FILE-OR-DATA_DIR",
            help="Frames of any format that a reader knows, or the folder of a data set or run.",
            callback=data_folder,
        ),
    ],
    index: Annotated[
        list[int] | None,
        typer.Option(
            metavar="I",
            help="Index of a pattern to solve, from 0; can be repeated. Default: all.",
            show_default=False,
        ),
    ] = None,
    solver: Annotated[str, typer.Option(metavar="NAME", help="The solver to use.")] = "patterson",
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Set an option of the solver; can be repeated.",
            show_default=False,
        ),
    ] = None,
    like: Annotated[
        str | None,
        typer.Option(
            metavar="EXPERIMENT",
            help="Use the grid of this preset or TOML file.",
            show_default=False,
        ),
    ] = None,
    workers: Workers = None,
    seed: Annotated[
        int,
        typer.Option(
            min=0, metavar="N", help="Seed of the search: the same seed gives the same answer."
        ),
    ] = 0,
    output: Annotated[Path | None, output_folder("Save bodies and pictures here.")] = None,
    as_json: Json = False,
    *,
    frames: FrameOptions,
) -> None:
    """Find the bodies behind patterns: where they lie and how large they are.

    A pattern is called solved when the bodies explain it down to its noise, with neither one too
    many nor one missing; "above R" is the same for bodies of a radius above R, where photon noise
    could hide smaller ones. No pattern says where in the box the bodies lie, nor tells a structure
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
    source = _source(what, like, frames)
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
            echo(f"\nbodies and pictures: {output}")
    for answer in failed:
        say(f"error: {answer.error}")
    if failed:
        raise typer.Exit(1)


def _source(what: Path, like: str | None, frames: FrameOptions) -> Source:
    import attrs

    from speckle_core.cli.options import load_experiment
    from speckle_core.data.frame_options import FrameOptions, read_mask
    from speckle_core.solve.source import DatasetSource, FileSource

    if like is not None and frames.step is not None:
        raise typer.BadParameter("give either --like or --step")
    if what.is_dir():
        if like is not None or attrs.evolve(frames, mask=None) != FrameOptions():
            raise typer.BadParameter("a data set has its own grid: only --mask goes with it")
        mask = None if frames.mask is None else read_mask(frames.mask)
        return DatasetSource.open(what, mask=mask)
    experiment = None if like is None else load_experiment(like, None, only=("structure",))
    found = FileSource.open(what, frames, like=experiment)
    for remark in found.remarks:
        say(f"{what}: {remark}")
    return found


def _chosen(index: list[int] | None, patterns: int, what: Path) -> list[int]:
    for place in index or ():
        if not 0 <= place < patterns:
            raise DataError(
                f"there is no pattern {place}",
                where="--index",
                hint=f"{what} has 0 to {patterns - 1}.",
            )
    return sorted(set(index)) if index else list(range(patterns))

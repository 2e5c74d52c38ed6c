"""Parts of a data set: one of them for a job array, or all as jobs that are submitted."""

from __future__ import annotations

from pathlib import Path

import typer

from speckle_core.cli.failure import usage
from speckle_core.cli.output import echo, print_json
from speckle_core.cli.progress import show_progress
from speckle_core.data.jobs import Jobs
from speckle_core.data.parts import Part, generate_part, missing_in
from speckle_core.errors import ExperimentError
from speckle_core.experiment.experiment import Experiment
from speckle_core.experiment.presets import parse_setting
from speckle_core.words import counted


def read_jobs(
    cluster: str | None, number: int | None, parameters: list[str] | None, workers: int | None
) -> Jobs | None:
    """Return the jobs that ``--submit``, ``--jobs``, ``--job`` and ``--workers`` ask for."""
    if cluster is None:
        if number is not None or parameters:
            raise typer.BadParameter("--jobs and --job belong to --submit")
        return None
    with usage(ExperimentError):
        wanted = dict(parse_setting(text, "--job", "mem_gb=4") for text in parameters or ())
        return Jobs(cluster, number or 16, workers, wanted)


def generate_one(
    chosen: Experiment, output: Path, shard: str, workers: int | None, *, as_json: bool
) -> None:
    """Make the part of the set that ``--shard`` names, and say so."""
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

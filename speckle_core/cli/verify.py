"""``speckle verify``: check a data set, a model or a run for damage, and repair it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from speckle_core.cli.options import Json
from speckle_core.cli.output import echo


def verify(
    data: Annotated[
        Path, typer.Argument(metavar="DIR", help="A data set, model or run written by speckle.")
    ],
    repair: Annotated[
        bool, typer.Option("--repair", metavar="", help="Regenerate damaged and missing files.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check every byte of a data set, a model or a run against its records, and repair it if asked.

    The exit status is 1 if there is damage that was not repaired. A repair simulates damaged
    patterns again and repeats the damaged stages of a run; they depend only on the experiment
    and its seed, so they come out the same. A model by itself is trained again by the command
    that made it.

    For example:

      speckle verify data/mono
      speckle verify data/mono --repair
      speckle verify runs/quickstart
    """
    from speckle_core.cli.output import print_json
    from speckle_core.cli.progress import show_progress
    from speckle_core.verify import patterns_in
    from speckle_core.verify import verify as verify_folder
    from speckle_core.words import counted

    with show_progress() as progress:
        progress.start("verify", patterns_in(data))
        report = verify_folder(data, repair=repair, on_progress=progress.advance)
        progress.finish()
    if as_json:
        print_json(
            {
                "data": str(data),
                "ok": report.ok,
                "shards": report.checked,
                "problems": {problem.name: problem.what for problem in report.problems},
                "repaired": list(report.repaired),
                "strays": list(report.strays),
            }
        )
    else:
        for name in report.repaired:
            was = "its record was wrong; corrected" if name in report.records else "regenerated"
            echo(f"{name}: {was}")
        for problem in report.problems:
            echo(f"{problem.name}: {problem.what}")
        for name in report.strays:
            echo(f"{name}: does not belong here; left alone")
        thing = "shard" if (data / "manifest.json").exists() else "file"
        state = "intact" if report.ok else "damaged"
        echo(f"{data}: {state}, {counted(report.checked, thing)} checked")
        if not repair and any(problem.repairable for problem in report.problems):
            echo("  Run the same command with --repair to regenerate the damaged files.")
    if not report.ok:
        raise typer.Exit(1)

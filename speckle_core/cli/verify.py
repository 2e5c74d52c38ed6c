"""``speckle verify``: whether a data set is undamaged, and making good what is not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from speckle_core.cli.options import Json


def verify(
    data: Annotated[
        Path, typer.Argument(metavar="DATA_DIR", help="A data set that speckle generate wrote.")
    ],
    repair: Annotated[
        bool, typer.Option("--repair", help="Make damaged and missing files anew.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check every byte of a data set against its manifest, and repair it if asked.

    Ends with status 1 when something is wrong, or could not be repaired. Repairing simulates the
    damaged patterns again; since these depend on the seed alone, they come out as they were.

    For example:

      speckle verify data/mono
      speckle verify data/mono --repair
    """
    from speckle_core.cli.output import counted, print_json
    from speckle_core.cli.progress import watched
    from speckle_core.data.manifest import patterns_of, read
    from speckle_core.data.verify import verify as verified

    with watched() as progress:
        progress.start("verify", patterns_of(read(data).experiment))
        report = verified(data, repair=repair, on_progress=progress.advance)
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
            typer.echo(f"{name}: made anew")
        for problem in report.problems:
            typer.echo(f"{problem.name}: {problem.what}")
        for name in report.strays:
            typer.echo(f"{name}: does not belong to the set, and was left alone")
        state = "whole" if report.ok else "damaged"
        typer.echo(f"{data}: {state}, {counted(report.checked, 'shard')} checked")
        if not (report.ok or repair):
            typer.echo("  Run the same command with --repair to make the damaged files anew.")
    if not report.ok:
        raise typer.Exit(1)

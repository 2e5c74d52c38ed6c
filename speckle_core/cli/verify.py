"""``speckle verify``: check a data set for damage, and repair it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from speckle_core.cli.options import Json


def verify(
    data: Annotated[
        Path, typer.Argument(metavar="DATA_DIR", help="A data set written by speckle generate.")
    ],
    repair: Annotated[
        bool, typer.Option("--repair", help="Regenerate damaged and missing files.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check every byte of a data set against its manifest, and repair it if asked.

    The exit status is 1 if there is damage that was not repaired. A repair simulates the
    damaged patterns again; they depend only on the experiment and its seed, so they come out
    the same.

    For example:

      speckle verify data/mono
      speckle verify data/mono --repair
    """
    from speckle_core.cli.output import counted, print_json
    from speckle_core.cli.progress import show_progress
    from speckle_core.data.manifest import patterns_of, read
    from speckle_core.data.verify import verify as verify_dataset

    with show_progress() as progress:
        progress.start("verify", patterns_of(read(data).experiment))
        report = verify_dataset(data, repair=repair, on_progress=progress.advance)
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
            typer.echo(f"{name}: regenerated")
        for problem in report.problems:
            typer.echo(f"{problem.name}: {problem.what}")
        for name in report.strays:
            typer.echo(f"{name}: does not belong to the data set; left alone")
        state = "intact" if report.ok else "damaged"
        typer.echo(f"{data}: {state}, {counted(report.checked, 'shard')} checked")
        if not (report.ok or repair):
            typer.echo("  Run the same command with --repair to regenerate the damaged files.")
    if not report.ok:
        raise typer.Exit(1)

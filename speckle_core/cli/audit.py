"""``speckle audit``: what a data set gives away of n besides its speckles."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from speckle_core.cli.options import Json


def audit(
    data: Annotated[
        Path, typer.Argument(metavar="DATA_DIR", help="A data set that speckle generate wrote.")
    ],
    baseline: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A simple rule to fit; may be given again. By default the experiment's own.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what a data set gives away: whether n can be had from less than its speckles.

    Is n tied to the radius, the covered area or the intensity? Do the training and the test
    part share sizes, configurations or patterns? Does a baseline, fitted on the one and tested
    on the other, solve it already? Whatever is found, the command ends with status 0.

    For example:

      speckle audit data/mono
      speckle audit data/mono --baseline radial-lda --baseline pair-peaks --json
    """
    from speckle_core.audit.findings import audit as audited
    from speckle_core.audit.findings import baselines_of, read_by
    from speckle_core.cli.failure import usage
    from speckle_core.cli.output import print_json, print_table
    from speckle_core.cli.progress import watched
    from speckle_core.data.dataset import Dataset
    from speckle_core.errors import (
        AmbiguousComponentError,
        ExperimentError,
        UnknownComponentError,
    )

    with Dataset.open(data) as dataset:
        wrong = (ExperimentError, UnknownComponentError, AmbiguousComponentError)
        # Those that the set itself names are no argument of this command.
        with usage(*wrong) if baseline else contextlib.nullcontext():
            chosen = baselines_of(dataset.experiment, baseline or ())
        with watched() as progress:
            found = audited(dataset, read_by(chosen, dataset, progress), progress)
    if as_json:
        print_json({"data": str(data)} | found.to_dict())
        return
    typer.echo(f"{data}: {found.sizes['train']} training and {found.sizes['test']} test patterns")
    for table in found.section().tables:
        typer.echo()
        print_table(table.header, table.rows)
    for sentences in found.paragraphs():
        typer.echo("\n" + "\n".join(sentences))

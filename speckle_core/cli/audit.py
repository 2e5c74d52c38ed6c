"""``speckle audit``: data leakage and shortcuts in a data set."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from speckle_core.cli.options import Json, data_folder
from speckle_core.cli.output import echo


def audit(
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA_DIR",
            help="A data set from speckle generate or import, or the folder of a run.",
            callback=data_folder,
        ),
    ],
    baseline: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A baseline to fit; can be repeated. Default: those of the experiment.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a data set for leakage and shortcuts, which give n away without the speckles.

    Does n depend on the radius, the covered area or the intensity alone? Do the training and
    test parts share sizes, configurations or patterns? Does a baseline that is fitted on the
    training part already solve the test part? The exit status is 0 whatever is found.

    For example:

      speckle audit data/mono
      speckle audit data/mono --baseline radial-lda --baseline pair-peaks --json
    """
    from speckle_core.audit.findings import audit as audit_dataset
    from speckle_core.audit.findings import baselines_of, evaluate_baselines
    from speckle_core.cli.failure import usage
    from speckle_core.cli.output import print_json, print_table
    from speckle_core.cli.progress import show_progress
    from speckle_core.data.dataset import Dataset
    from speckle_core.errors import (
        AmbiguousComponentError,
        ExperimentError,
        UnknownComponentError,
    )

    with Dataset.open(data) as dataset:
        wrong = (ExperimentError, UnknownComponentError, AmbiguousComponentError)
        # Errors in the data set's own baselines are not usage errors.
        with usage(*wrong) if baseline else contextlib.nullcontext():
            chosen = baselines_of(dataset.experiment, baseline or ())
        with show_progress() as progress:
            found = audit_dataset(dataset, evaluate_baselines(chosen, dataset, progress), progress)
    if as_json:
        print_json({"data": str(data)} | found.to_dict())
        return
    echo(f"{data}: {found.sizes['train']} training and {found.sizes['test']} test patterns")
    for table in found.section().tables:
        echo()
        print_table(table.header, table.rows)
    for sentences in found.paragraphs():
        echo("\n" + "\n".join(sentences))

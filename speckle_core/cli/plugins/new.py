"""``speckle plugins new``: create a package for a new component."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from speckle_core.cli.failure import usage
from speckle_core.cli.options import output_folder
from speckle_core.cli.output import echo


def new_package(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name of the component: lower-case-with-hyphens.")
    ],
    role: Annotated[
        str,
        typer.Option(
            metavar="ROLE",
            help="sampler, scatterer, detector, preprocessor, classifier, explainer, solver or "
            "reader.",
        ),
    ],
    network: Annotated[
        str | None,
        typer.Option(
            metavar="FRAMEWORK",
            help="For a classifier that is a network: torch or keras.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[Path | None, output_folder("The new folder. Default: NAME.")] = None,
) -> None:
    """Create a package with one working component that passes every check.

    Your code goes into the file that is named at the end. Existing folders are never changed.

    For example:

      speckle plugins new my-shapes --role sampler
      speckle plugins new my-network --role classifier --network torch
    """
    from speckle_core.plugins.scaffold import NewPlugin

    with usage():
        plugin = NewPlugin.named(name, role, network)
    folder = output or Path(name)
    plugin.write(folder)
    echo(f"Your code goes into {folder / plugin.physics}. Then:\n")
    echo(f"  cd {folder}\n  pip install -e '.[test]'\n  pytest\n  speckle plugins check {name}")

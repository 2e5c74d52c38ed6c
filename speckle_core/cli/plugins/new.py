"""``speckle plugins new``: a package for a component of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from speckle_core.cli.failure import usage


def new_package(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="What to call it: lower-case-with-hyphens.")
    ],
    role: Annotated[
        str,
        typer.Option(
            metavar="ROLE",
            help="sampler, scatterer, preprocessor, classifier, explainer or solver.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", metavar="DIR", help="The new folder; by default NAME.", show_default=False
        ),
    ] = None,
) -> None:
    """Write a package with a component of one role, which works and passes every check.

    One file of it is the place for your physics. An existing folder is never touched.

    For example:

      speckle plugins new my-shapes --role sampler
    """
    from speckle_core.plugins.scaffold import NewPlugin

    with usage():
        plugin = NewPlugin.named(name, role)
    folder = output or Path(name)
    plugin.write(folder)
    typer.echo(f"Put your physics into {folder / plugin.physics}. Then:\n")
    typer.echo(
        f"  cd {folder}\n  pip install -e '.[test]'\n  pytest\n  speckle plugins check {name}"
    )

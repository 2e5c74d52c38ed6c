"""``speckle models show``: the card of a model."""

from __future__ import annotations

from typing import Annotated

import typer


def show_model(
    name: Annotated[
        str, typer.Argument(metavar="MODEL", help="Name of a model that comes with speckle-core.")
    ],
) -> None:
    """Show the card of a model: its data, its scores, its limits.

    The names are those that speckle models list prints.

    For example:

      speckle models show specklenet-poly
    """
    from speckle_core.cli.output import echo
    from speckle_core.models.shipped import CARD, shipped_folder

    echo((shipped_folder(name) / CARD).read_text(encoding="utf-8").rstrip())

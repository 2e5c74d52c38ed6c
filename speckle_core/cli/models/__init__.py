"""``speckle models``: the trained models that come with the package."""

from __future__ import annotations

import typer

from speckle_core.cli.failure import report_errors
from speckle_core.cli.models.listing import list_models
from speckle_core.cli.models.show import show_model
from speckle_core.cli.output import Command, Group, reflow

app = typer.Typer(
    cls=Group,
    help="List and show the trained models that come with speckle-core.",
    no_args_is_help=True,
)
for _name, _command in (("list", list_models), ("show", show_model)):
    app.command(_name, cls=Command, help=reflow(_command.__doc__))(report_errors(_command))

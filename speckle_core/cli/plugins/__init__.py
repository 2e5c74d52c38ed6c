"""``speckle plugins``: list, show, check and create components."""

from __future__ import annotations

import typer

from speckle_core.cli.failure import report_errors
from speckle_core.cli.output import Command, Group, reflow
from speckle_core.cli.plugins.check import check_component
from speckle_core.cli.plugins.listing import list_components
from speckle_core.cli.plugins.new import new_package
from speckle_core.cli.plugins.show import show_component

app = typer.Typer(cls=Group, help="List, show, check and create components.", no_args_is_help=True)
for _name, _command in (
    ("list", list_components),
    ("show", show_component),
    ("check", check_component),
    ("new", new_package),
):
    app.command(_name, cls=Command, help=reflow(_command.__doc__))(report_errors(_command))

"""``speckle plugins``: what is installed, what of it is broken, and whether a component holds."""

from __future__ import annotations

import typer

from speckle_core.cli.failure import reported
from speckle_core.cli.output import reflowed
from speckle_core.cli.plugins.check import check_component
from speckle_core.cli.plugins.listing import list_components
from speckle_core.cli.plugins.new import new_package
from speckle_core.cli.plugins.show import show_component

app = typer.Typer(
    help="List, show and check the components that plugins offer.", no_args_is_help=True
)
for _name, _command in (
    ("list", list_components),
    ("show", show_component),
    ("check", check_component),
    ("new", new_package),
):
    app.command(_name, help=reflowed(_command.__doc__))(reported(_command))

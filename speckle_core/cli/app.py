"""The commands in the order that help lists them; nothing of what they do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from speckle_core.cli import (
    audit,
    convert,
    doctor,
    evaluate,
    explain,
    generate,
    moments,
    plugins,
    predict,
    presets,
    run,
    show,
    train,
    verify,
)
from speckle_core.cli.failure import reported
from speckle_core.cli.output import reflowed

_HELP = """Machine learning on coherent X-ray speckle patterns.

Simulate them, train a network to count the particles, hold it against simple rules,
and ask what it looks at. Begin with:

  speckle run quickstart

Every command has a --help of its own, with examples.
"""

app = typer.Typer(
    name="speckle",
    help=reflowed(_HELP),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_GROUPS: dict[str, dict[str, Callable[..., None]]] = {
    "The whole chain": {"run": run.run},
    "Step by step": {
        "generate": generate.generate,
        "verify": verify.verify,
        "audit": audit.audit,
        "train": train.train,
        "evaluate": evaluate.evaluate,
        "explain": explain.explain,
        "convert": convert.convert,
    },
    "Pattern files": {"predict": predict.predict, "moments": moments.moments, "show": show.show},
    "What is there": {"presets": presets.presets, "doctor": doctor.doctor},
}
for _panel, _commands in _GROUPS.items():
    for _name, _command in _commands.items():
        app.command(_name, help=reflowed(_command.__doc__), rich_help_panel=_panel)(
            reported(_command)
        )
app.add_typer(plugins.app, name="plugins", rich_help_panel="What is there")


def _version(wanted: bool) -> None:
    if wanted:
        from speckle_core._version import __version__

        typer.echo(f"speckle {__version__}")
        raise typer.Exit


@app.callback()
def _speckle(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None: ...

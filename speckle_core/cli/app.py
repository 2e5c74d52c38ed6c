"""The commands, in the order in which ``--help`` lists them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from speckle_core.cli import (
    audit,
    bench,
    convert,
    doctor,
    evaluate,
    explain,
    export,
    generate,
    import_frames,
    models,
    moments,
    plugins,
    predict,
    presets,
    run,
    show,
    solve,
    study,
    train,
    verify,
)
from speckle_core.cli.failure import report_errors
from speckle_core.cli.output import Command, Group, echo, reflow

_HELP = """Machine learning on coherent X-ray speckle patterns.

Simulate patterns, train a network to count the particles, compare it with simple
baselines, and find out what it looks at. Start with:

  speckle run quickstart

Every command has its own --help, with examples.
"""

app = typer.Typer(
    name="speckle",
    cls=Group,
    help=reflow(_HELP),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_GROUPS: dict[str, dict[str, Callable[..., None]]] = {
    "Whole experiment": {"run": run.run, "study": study.study},
    "Step by step": {
        "generate": generate.generate,
        "import": import_frames.import_,
        "verify": verify.verify,
        "audit": audit.audit,
        "train": train.train,
        "evaluate": evaluate.evaluate,
        "explain": explain.explain,
        "convert": convert.convert,
        "export": export.export,
    },
    "Pattern files": {
        "predict": predict.predict,
        "solve": solve.solve,
        "moments": moments.moments,
        "show": show.show,
    },
    "Information": {"presets": presets.presets, "bench": bench.bench, "doctor": doctor.doctor},
}
for _panel, _commands in _GROUPS.items():
    for _name, _command in _commands.items():
        app.command(_name, cls=Command, help=reflow(_command.__doc__), rich_help_panel=_panel)(
            report_errors(_command)
        )
app.add_typer(models.app, name="models", rich_help_panel="Information")
app.add_typer(plugins.app, name="plugins", rich_help_panel="Information")


def _version(wanted: bool) -> None:
    if wanted:
        from speckle_core._version import __version__

        echo(f"speckle {__version__}")
        raise typer.Exit


@app.callback()
def _speckle(
    version: Annotated[
        bool,
        typer.Option(
            "--version", metavar="", callback=_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None: ...

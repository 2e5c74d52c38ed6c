"""The command line: one file a command, and `main`, the console script ``speckle``.

Commands read arguments, call the framework and print; what they do can be done from Python without
them. Modules here import nothing but typer at the top, so that ``--help`` stays quick and a broken
plugin cannot stop it; only this package imports typer.
"""

from __future__ import annotations


def main() -> None:
    """Run the command that the shell asked for, and exit with its status."""
    try:
        from speckle_core.cli.app import app

        app()
    except KeyboardInterrupt:
        # Before a command has begun nobody else looks after Ctrl-C.
        raise SystemExit(130) from None

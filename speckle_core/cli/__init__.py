"""The command line: one file per command, and `main`, the console script ``speckle``.

Commands parse arguments, call the framework and print; everything they do can also be done from
Python. Modules here import only typer at the top, so that ``--help`` is fast and a broken plugin
cannot break it. No other package imports typer.
"""

from __future__ import annotations


def main() -> None:
    """Run the command line and exit with its status."""
    _keep_descriptors()
    try:
        from speckle_core.cli.app import app

        app()
    except KeyboardInterrupt:
        # Ctrl-C before the command has started, where `report_errors` does not handle it yet.
        raise SystemExit(130) from None


def _keep_descriptors() -> None:
    """Open closed standard streams on nothing, so that no file of ours takes their place."""
    import os

    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)

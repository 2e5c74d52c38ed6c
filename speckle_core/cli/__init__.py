"""The command line: one file per command, and `main`, the console script ``speckle``.

Commands parse arguments, call the framework and print; everything they do can also be done from
Python. Modules here import only typer at the top, so that ``--help`` is fast and a broken plugin
cannot break it. No other package imports typer.
"""

from __future__ import annotations

import gc

#: Young collections between two of everything: Python's 10 would look through half a million
#: objects of a framework again and again while it is imported, a tenth of the time that takes.
_FULL_COLLECTIONS = 1000


def main() -> None:
    """Run the command line and exit with its status."""
    _keep_descriptors()
    gc.set_threshold(*gc.get_threshold()[:2], _FULL_COLLECTIONS)
    try:
        from speckle_core.cli.app import app

        app()
    except KeyboardInterrupt:
        # Ctrl-C before the command has started, where `report_errors` does not handle it yet.
        raise SystemExit(130) from None
    finally:
        # The memory goes back with the process; Python need not look for cycles in it first.
        gc.freeze()


def _keep_descriptors() -> None:
    """Open closed standard streams on nothing, so that no file of ours takes their place."""
    import os

    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)

"""Error handling of commands: one clear message on stderr, and the exit status.

The exit status is decided here only:

===== ============================================================================================
0     done
1     failed: any `SpeckleError`, a full disk, a missing permission, or a bug
2     usage: an invalid option or argument, or an invalid experiment (EXPERIMENT and ``--set`` are
      arguments); see `usage`
130   interrupted with Ctrl-C
===== ============================================================================================

User errors show no traceback; ``SPECKLE_DEBUG=1`` shows every traceback.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import ParamSpec

import typer

from speckle_core.errors import (
    DamageWarning,
    SlowWarning,
    SpeckleError,
    SplitWarning,
    printable,
    shorten,
)

P = ParamSpec("P")
DEBUG = "SPECKLE_DEBUG"
#: Commands that keep finished work, so that the same command resumes.
_RESUMES = ("run", "study", "generate", "import_", "train", "solve")


class UsageError(Exception):
    """Wraps a `SpeckleError` caused by a command's arguments; exit status 2."""


@contextlib.contextmanager
def usage(*kinds: type[SpeckleError]) -> Iterator[None]:
    """Treat any `SpeckleError` of the block, or only these `kinds`, as a usage error."""
    try:
        yield
    except SpeckleError as error:
        if kinds and not isinstance(error, kinds):
            raise
        raise UsageError from error


def say(text: str) -> None:
    """Print a line on stderr, above the progress bar if there is one."""
    with contextlib.suppress(OSError, ValueError, AttributeError):  # stderr may be closed
        print(printable(text), file=sys.stderr, flush=True)


def report_errors(command: Callable[P, None]) -> Callable[P, None]:
    """Wrap `command` so that every exception becomes a message and an exit status."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            with _quiet_warnings():
                command(*args, **kwargs)
            if sys.stdout is not None:  # it may be closed
                sys.stdout.flush()
        except (typer.Exit, typer.Abort, typer.BadParameter, BrokenPipeError):
            raise  # typer handles these; it exits quietly when a pipe is closed
        except KeyboardInterrupt:
            resumes = command.__name__ in _RESUMES
            more = "; run the same command again to resume" if resumes else ""
            say(f"interrupted{more}")
            raise typer.Exit(130) from None
        except UsageError as fault:
            print_error(str(fault.__cause__), fault)
            raise typer.Exit(2) from None
        except SpeckleError as error:
            print_error(str(error), error)
            raise typer.Exit(1) from None
        except OSError as error:
            place = f"{shorten(str(error.filename))}: " if error.filename else ""
            print_error(f"{place}{error.strerror or error}", error)
            raise typer.Exit(1) from None
        except MemoryError as error:
            print_error("out of memory", error)
            raise typer.Exit(1) from None
        except Exception as error:
            from speckle_core.plugins.discovery import owner_of
            from speckle_core.plugins.isolation import cause_of

            cause = cause_of(error)
            print_error(
                f"this is a bug in {owner_of(error.__traceback__)} ({cause}); "
                f"run with {DEBUG}=1 for the traceback",
                error,
            )
            raise typer.Exit(1) from None

    return run


def print_error(text: str, error: BaseException) -> None:
    """Print one error on stderr, and its traceback when debugging."""
    if os.environ.get(DEBUG):
        import traceback

        print(printable("".join(traceback.format_exception(error)), 10**6), file=sys.stderr)
    typer.secho("error: ", fg="red", bold=True, nl=False, err=True)
    say(text)


@contextlib.contextmanager
def _quiet_warnings() -> Iterator[None]:
    """Show each plugin warning once, in one line, and library warnings only when debugging."""
    shown: set[str] = set()

    def show(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
        from speckle_core.plugins.records import PluginWarning

        ours = (PluginWarning, DamageWarning, SlowWarning, SplitWarning)
        if issubclass(category, ours) and str(message) not in shown:
            shown.add(str(message))
            say(f"warning: {message}")

    with warnings.catch_warnings():
        if not os.environ.get(DEBUG):
            warnings.simplefilter("default")
            warnings.showwarning = show
        yield


def warn_far_patterns(far: int, of: int) -> None:
    """Warn of patterns that are far from the training data, if there are any."""
    if far:
        if of == 1:
            say("warning: the pattern is far from the training data")
        else:
            are = "is" if far == 1 else "are"
            say(f"warning: {far} of {of} patterns {are} far from the training data")

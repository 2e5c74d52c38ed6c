"""How a command ends when it does not end well: one clear error on stderr, and an exit status.

This is the one place that decides the status:

===== ============================================================================================
0     done
1     failed: any `SpeckleError`, a full disk or a missing permission, or a defect
2     usage: an option or argument that the command does not take, or an experiment that cannot be
      read as one (EXPERIMENT and ``--set`` are arguments); see `usage`
130   interrupted with Ctrl-C
===== ============================================================================================

A user's fault never shows a traceback; ``SPECKLE_DEBUG=1`` shows every one.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import ParamSpec

import typer

from speckle_core.errors import SpeckleError

P = ParamSpec("P")
DEBUG = "SPECKLE_DEBUG"
#: Commands that keep what is done, so that the same line goes on from there.
_RESUMES = ("run", "generate", "train")


class UsageError(Exception):
    """Wraps the `SpeckleError` of a command's own arguments, which ends it with status 2."""


@contextlib.contextmanager
def usage(*kinds: type[SpeckleError]) -> Iterator[None]:
    """Count any `SpeckleError` of the block, or those kinds, as a fault of the arguments."""
    try:
        yield
    except SpeckleError as error:
        if kinds and not isinstance(error, kinds):
            raise
        raise UsageError from error


def say(text: str) -> None:
    """Print a remark on stderr, above whatever bar is drawn there."""
    print(text, file=sys.stderr, flush=True)


def reported(command: Callable[P, None]) -> Callable[P, None]:
    """Return `command` so that it ends as this module says, whatever it raises."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            with _quiet_warnings():
                command(*args, **kwargs)
            sys.stdout.flush()
        except (typer.Exit, typer.Abort, typer.BadParameter, BrokenPipeError):
            raise  # typer knows these, and ends quietly when the reader of a pipe is gone
        except KeyboardInterrupt:
            resumes = command.__name__ in _RESUMES
            more = "; the same command goes on from here" if resumes else ""
            say(f"interrupted{more}")
            raise typer.Exit(130) from None
        except UsageError as fault:
            _error(str(fault.__cause__), fault)
            raise typer.Exit(2) from None
        except SpeckleError as error:
            _error(str(error), error)
            raise typer.Exit(1) from None
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            _error(f"{place}{error.strerror or error}", error)
            raise typer.Exit(1) from None
        except MemoryError as error:
            _error("there is not enough memory for this", error)
            raise typer.Exit(1) from None
        except Exception as error:
            cause = " ".join(f"{type(error).__name__}: {error}".split())
            _error(
                f"this is a defect in {_owner(error.__traceback__)} ({cause}); "
                f"run with {DEBUG}=1 for the traceback",
                error,
            )
            raise typer.Exit(1) from None

    return run


def _error(text: str, error: BaseException) -> None:
    if os.environ.get(DEBUG):
        import traceback

        say("".join(traceback.format_exception(error)).rstrip())
    typer.secho("error: ", fg="red", bold=True, nl=False, err=True)
    say(text)


def _owner(trace: TracebackType | None) -> str:
    """Return the distribution whose code is the innermost of ours and the plugins' in `trace`."""
    import importlib.metadata
    import traceback

    from speckle_core._version import __version__
    from speckle_core.plugins.hookspecs import GROUP

    ours = f"speckle-core {__version__}"
    owners = {"speckle_core": ours}
    for entry in importlib.metadata.entry_points(group=GROUP):
        if entry.dist is not None:
            owners[entry.module.partition(".")[0]] = f"{entry.dist.name} {entry.dist.version}"
    packages = [
        str(frame.f_globals.get("__name__", "")).partition(".")[0]
        for frame, _ in traceback.walk_tb(trace)
    ]
    return next((owners[name] for name in reversed(packages) if name in owners), ours)


@contextlib.contextmanager
def _quiet_warnings() -> Iterator[None]:
    """Show warnings about plugins as one line each, and those of libraries only when debugging."""
    with warnings.catch_warnings():
        if not os.environ.get(DEBUG):
            warnings.simplefilter("default")
            warnings.showwarning = lambda text, kind, *_, **__: _show_warning(text, kind)
        yield


def _show_warning(message: Warning | str, category: type[Warning]) -> None:
    from speckle_core.plugins.records import PluginWarning

    if issubclass(category, PluginWarning):
        say(f"warning: {message}")


def warn_of_far(far: int, of: int) -> None:
    """Say how many patterns lie far from the training data, unless none does."""
    if far:
        say(f"warning: {far} of {of} patterns lie far from the training data")

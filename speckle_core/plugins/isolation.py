"""Runs code of a plugin so that what it does to the process is undone, whatever that is.

Importing a plugin may print, also past Python; turn warnings into errors; change the recursion
limit or the working directory; raise anything. A process that it ends cannot be saved from within:
``speckle doctor`` tries each plugin in a process of its own.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import threading
import types
import warnings
from collections.abc import Iterator

from speckle_core.errors import PluginError, printable

# Output, warnings and limits belong to the whole process, so only one thread at a time may change
# them.
_one_at_a_time = threading.RLock()


@contextlib.contextmanager
def isolated() -> Iterator[None]:
    """Run a plugin's code; afterwards output, warnings, limits and folder are as they were.

    Raises
    ------
    PluginError
        In place of any exception that only the plugin can mean: a ``KeyboardInterrupt`` that no key
        was pressed for, ``SystemExit``, and whatever else is not an `Exception`.
    """
    limit = sys.getrecursionlimit()
    pressed: list[int] = []
    try:
        folder: str | None = os.getcwd()
    except OSError:
        folder = None
    try:
        with (
            _one_at_a_time,
            _interrupts(pressed),
            _silent(),
            _kept_places(),
            warnings.catch_warnings(),
        ):
            yield
    except Exception:
        raise
    except BaseException as error:
        if pressed:
            raise
        sys.setrecursionlimit(limit)
        raise PluginError(f"raised {cause_of(error)}") from error
    finally:
        sys.setrecursionlimit(limit)
        if folder is not None:
            with contextlib.suppress(OSError):
                os.chdir(folder)


def cause_of(error: BaseException) -> str:
    """Return class and message of an exception in one line, even if its message cannot be had."""
    try:
        text = " ".join(str(error).split())
    except BaseException:
        text = "its message cannot be read"
    return printable(f"{type(error).__name__}: {text}", 500)


@contextlib.contextmanager
def _interrupts(pressed: list[int]) -> Iterator[None]:
    """Note in `pressed` that Ctrl-C was pressed, which then goes its usual way."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return

    def note(number: int, frame: types.FrameType | None) -> None:
        pressed.append(number)
        before(number, frame)

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Discard what is written to both outputs, also past Python; afterwards they are open again."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):  # it may be closed
            stream.flush()
    try:
        with (
            _silent_descriptor(1),
            _silent_descriptor(2),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            yield
    finally:
        for name, descriptor in (("stdout", 1), ("stderr", 2)):
            if getattr(getattr(sys, name), "closed", False):
                setattr(sys, name, open(descriptor, "w", closefd=False))  # noqa: SIM115


@contextlib.contextmanager
def _silent_descriptor(descriptor: int) -> Iterator[None]:
    """Discard what is written to a file descriptor, by C code for example."""
    try:
        saved = os.dup(descriptor)
    except OSError:  # it is closed
        yield
        return
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)
        yield
    finally:
        os.dup2(saved, descriptor)
        os.close(saved)


@contextlib.contextmanager
def _kept_places() -> Iterator[None]:
    """Put back what a plugin removes from the module path and from the environment."""
    places, variables = list(sys.path), dict(os.environ)
    try:
        yield
    finally:
        sys.path[:] = [*sys.path, *(p for p in places if p not in sys.path)]
        for name in variables.keys() - os.environ.keys():
            os.environ[name] = variables[name]

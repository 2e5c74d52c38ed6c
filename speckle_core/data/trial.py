"""Open an untrusted HDF5 file first in a child process, which it may hang or crash.

libhdf5 follows the addresses in a file without noticing circles: a file of kilobytes can make it
loop, recurse until the stack is full, or take any amount of memory, and nothing in the process can
stop it. So a forked child, with limits on its processor time and memory, goes first.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py

from speckle_core.data.hdf5_limits import walk
from speckle_core.errors import DataError, SpeckleError

#: Limits of the child: processor time, time [s]; memory to list the file and to open it [bytes].
_CPU, _PATIENCE = 10, 120
_TO_LIST, _TO_OPEN = 2**28, 2**33
_TOO_MUCH = 7
_HINT = "The file is damaged, or made to do so."


def try_hdf5(path: Path, action: Callable[[], object]) -> None:
    """Do `action`, which opens the HDF5 file at `path`, in a child process and forget its result.

    An exception there is ignored, since it will be raised again here. Nothing is tried for a file
    that is not HDF5, and on systems that cannot fork.

    Raises
    ------
    DataError
        When the child took too long or too much memory, or crashed.
    """
    if not hasattr(os, "fork") or not h5py.is_hdf5(path):
        return
    status = os.waitstatus_to_exitcode(_wait(_fork(path, action)))
    if status == _TOO_MUCH:
        what = "takes too much memory to open"
    elif status in (-signal.SIGXCPU, -signal.SIGALRM):
        what = f"makes the HDF5 library work without end (stopped after {_CPU} s)"
    elif status < 0:
        what = f"makes the HDF5 library crash ({signal.Signals(-status).name})"
    else:
        return
    raise DataError(what, where=str(path), hint=_HINT)


def _fork(path: Path, action: Callable[[], object]) -> int:
    # No other thread may be within HDF5, whose state is copied.
    with h5py._objects.phil, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads
        child = os.fork()
    if child == 0:
        try:
            status = _act(path, action)
        finally:
            os._exit(status)
    return child


def _act(path: Path, action: Callable[[], object]) -> int:
    """Return the status of the child."""
    faulthandler.disable()
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
    for number in (signal.SIGINT, signal.SIGALRM, signal.SIGXCPU):
        signal.signal(number, signal.SIG_DFL)
    signal.alarm(_PATIENCE)
    used = _limit()
    for most, work in ((_TO_LIST, lambda: _list(path)), (_TO_OPEN, action)):
        _limit_memory(used, most)
        before = _peak()
        try:
            work()
        except SpeckleError:
            continue
        except BaseException:
            # libhdf5 says in many ways that it got no memory.
            if _peak() - before > most // 2:
                return _TOO_MUCH
    return 0


def _peak() -> int:
    """Return the largest number of bytes that this process has had in memory."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _list(path: Path) -> None:
    """Open every group and dataset; a virtual one takes 18 kB for each of its parts."""
    with h5py.File(path, "r") as file:
        for item in walk(file):
            if isinstance(item, h5py.Dataset):
                item.id.get_create_plist()
                _ = item.dtype, item.shape


def _limit() -> int:
    """Limit processor time and core files; return the bytes of address space in use."""
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (_CPU, _CPU + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:  # not Linux
        return sys.maxsize
    return pages * resource.getpagesize()


def _limit_memory(used: int, most: int) -> None:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = used + most
    if wanted < sys.maxsize and (hard == resource.RLIM_INFINITY or wanted < hard):
        resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))


def _wait(child: int) -> Any:
    try:
        return os.waitpid(child, 0)[1]
    except BaseException:
        with contextlib.suppress(OSError):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        raise

"""Work on a dask cluster: connecting to it, and what is said when it fails."""

from __future__ import annotations

import concurrent.futures as cf
import contextlib
import importlib.metadata
import logging
import os
import threading
import time
from collections.abc import Iterator
from typing import Any

from speckle_core._version import __version__
from speckle_core.cli.failure import DEBUG, say
from speckle_core.errors import MissingDependencyError, OutputError, SpeckleError

_AGAIN = "Finished shards are kept; run the same command again to resume."
_TIMEOUT = "10s"
#: Seconds between two looks at the workers, and without any worker until the work is given up.
_LOOK, _ALONE = 5.0, 60.0


@contextlib.contextmanager
def connect_cluster(address: str | None) -> Iterator[cf.Executor | None]:
    """Provide an executor on the dask cluster at `address`, or None without an address.

    Raises
    ------
    MissingDependencyError
        When dask is not installed.
    SpeckleError
        When no scheduler answers at `address`.
    OutputError
        When a worker has no speckle-core or another version, or when the scheduler or several
        workers end.
    """
    if address is None:
        yield None
        return
    try:
        import distributed
    except ImportError:
        raise MissingDependencyError(
            "dask is not installed",
            where="--scheduler",
            hint="Run: pip install 'speckle-core[dask]'",
        ) from None
    dask: Any = distributed
    with _quiet_loggers():
        try:
            client = dask.Client(address, timeout=_TIMEOUT, set_as_default=False)
        except (OSError, ValueError) as error:
            raise SpeckleError(
                f"no dask scheduler answers at {address!r}: {error}", where="--scheduler"
            ) from error
        with client, _translate_errors(address, dask), _watch_workers(client, address):
            _check_workers(client, address)
            # Not pure: dask must not answer with an earlier result instead of writing the file.
            yield client.get_executor(pure=False)


def _check_workers(client: Any, address: str) -> None:
    """Ask every worker for its version; one that cannot import a task would end and be waited for.

    Worker processes compare everything else themselves, also those that join later.
    """
    found = client.run(importlib.metadata.version, "speckle-core", on_error="return")
    if not found:
        say(f"{address}: no worker has joined yet; waiting for one")
    for worker, version in found.items():
        if version != __version__:
            has = f"speckle-core {version}" if isinstance(version, str) else "no speckle-core"
            raise OutputError(
                f"this worker has {has}; {__version__} is needed",
                where=str(worker),
                hint="Install the same version for all workers.",
            )


@contextlib.contextmanager
def _watch_workers(client: Any, address: str) -> Iterator[None]:
    """Give up once all workers have ended and none has joined for a while: dask would wait on."""
    over, alone = threading.Event(), threading.Event()

    def watch() -> None:
        last: float | None = None
        while not over.wait(_LOOK):
            try:
                workers = client.scheduler_info()["workers"]
            except Exception:  # the work itself meets the same error
                return
            if workers:
                last = time.monotonic()
            elif last is not None and time.monotonic() - last > _ALONE:
                alone.set()
                client.close(timeout=1)
                return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    except cf.CancelledError:
        if not alone.is_set():
            raise
        what = f"all workers have ended, and none has joined for {_ALONE:g} s"
        raise OutputError(what, where=address, hint=f"Start workers. {_AGAIN}") from None
    finally:
        over.set()
        thread.join()


@contextlib.contextmanager
def _quiet_loggers() -> Iterator[None]:
    """Silence the tracebacks that dask logs, since one error is printed; not when debugging."""
    loggers = [logging.getLogger(name) for name in ("distributed", "tornado", "asyncio")]
    before = [logger.level for logger in loggers]
    if not os.environ.get(DEBUG):
        for logger in loggers:
            logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


@contextlib.contextmanager
def _translate_errors(address: str, dask: Any) -> Iterator[None]:
    try:
        yield
    except dask.KilledWorker as error:
        raise OutputError(
            "several workers ended while they made the same shard",
            where=address,
            hint=f"They may have run out of memory. {_AGAIN}",
        ) from error
    except (cf.CancelledError, dask.comm.CommClosedError) as error:
        raise OutputError(
            "the dask scheduler stopped answering", where=address, hint=_AGAIN
        ) from error

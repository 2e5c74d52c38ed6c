"""Worker processes that shut down cleanly, and BLAS limited to one thread."""

from __future__ import annotations

import concurrent.futures as cf
import contextlib
import multiprocessing
import multiprocessing.resource_tracker
import os
import signal
import threading
import types
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import threadpoolctl

from speckle_core.errors import OutputError, SlowWarning
from speckle_core.plugins.records import PluginWarning

T = TypeVar("T")
R = TypeVar("R")

_pins = threading.Lock()
_pinned: list[threadpoolctl.threadpool_limits] = []
_users = 0


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Limit BLAS to one thread in this process until the last of several users is done.

    The number of threads changes the last bits of a matrix product.
    """
    global _users
    with _pins:
        if _users == 0:
            _pinned.append(threadpoolctl.threadpool_limits(1))
        _users += 1
    try:
        yield
    finally:
        with _pins:
            _users -= 1
            if _users == 0:
                _pinned.pop().restore_original_limits()


@contextlib.contextmanager
def worker_pool(workers: int) -> Iterator[cf.ProcessPoolExecutor]:
    """Provide a pool of new processes that Ctrl-C does not reach.

    They are spawned, not forked: forking a process that has threads, as every framework starts
    them, can hang.
    """
    context = multiprocessing.get_context("spawn")
    # Start the resource tracker first: starting it would unblock the signal blocked below.
    multiprocessing.resource_tracker.ensure_running()
    with cf.ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker) as pool:
        with _block_interrupts():
            # The executor starts one process per submitted task: start all while SIGINT is blocked,
            # since a child inherits the signal mask.
            for _ in range(workers):
                pool.submit(int)
        yield pool


@contextlib.contextmanager
def _block_interrupts() -> Iterator[None]:
    """Block SIGINT; processes started inside inherit the mask and never receive it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def defer_interrupts() -> Iterator[None]:
    """Defer Ctrl-C until the block is done; only the main thread handles it.

    A signal mask would not do: the pool's threads would take the signal, and Python would still
    call the handler in the main thread.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    received: list[tuple[int, types.FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda number, frame: received.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if received:
            before(*received[0])


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_on(
    executor: cf.Executor,
    work: Callable[[T], R],
    tasks: Iterable[T],
    backlog: int,
    on_result: Callable[[R], None],
) -> None:
    """Run `work` on every task, with at most `backlog` of them submitted at a time.

    Results are given to `on_result` in the calling thread, in any order. After an error or Ctrl-C,
    tasks that have not started are cancelled; running ones finish and are reported.

    Raises
    ------
    OutputError
        When a worker process ended early.
    """
    todo = iter(tasks)
    pending: set[cf.Future[R]] = set()

    def report(future: cf.Future[R]) -> None:
        # Ctrl-C between these lines would lose a result that is already on disk.
        with defer_interrupts():
            pending.discard(future)
            on_result(future.result())

    try:
        while True:
            for task in todo:
                with defer_interrupts():
                    pending.add(executor.submit(work, task))
                if len(pending) >= backlog:
                    break
            if not pending:
                return
            for future in cf.wait(pending, return_when=cf.FIRST_COMPLETED).done:
                report(future)
    except cf.BrokenExecutor as error:
        raise OutputError(
            "a worker process ended before its work was done",
            hint="It may have run out of memory: use fewer workers. In a script, call this below "
            "'if __name__ == \"__main__\":', or with workers=1.",
        ) from error
    finally:
        running = {future for future in pending if not future.cancel()}
        for future in cf.wait(running).done:
            if not future.cancelled() and future.exception() is None:
                report(future)


def _start_worker() -> None:
    """Set up a worker: ignore Ctrl-C, exit with the parent, do not repeat warnings."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for kind in (PluginWarning, SlowWarning):
        warnings.simplefilter("ignore", kind)
    parent = multiprocessing.parent_process()
    if parent is not None:

        def exit_with_parent() -> None:
            # Without this, a worker whose parent was killed would wait forever.
            parent.join()
            os._exit(1)

        threading.Thread(target=exit_with_parent, daemon=True).start()

"""Where shards are computed: processes of our own that end cleanly, and one thread of BLAS.

Nothing here knows what is computed.
"""

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
from collections.abc import Iterator

import threadpoolctl

from speckle_core.plugins.records import PluginWarning

_pins = threading.Lock()
_pinned: list[threadpoolctl.threadpool_limits] = []
_users = 0


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Hold BLAS to one thread in this process, until the last of several users is done.

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
    """Give a pool of fresh processes, which Ctrl-C does not reach.

    They are spawned, not forked: a fork of a process with threads, as every framework starts them,
    can hang.
    """
    context = multiprocessing.get_context("spawn")
    # Started first, since it would unblock the signal that is blocked below.
    multiprocessing.resource_tracker.ensure_running()
    with cf.ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker) as pool:
        with _interrupts_held():
            for _ in range(workers):
                pool.submit(int)
        yield pool


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Keep Ctrl-C waiting, and for good from processes started inside, even while they boot."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def interrupts_later() -> Iterator[None]:
    """Put Ctrl-C off until the block is done, in the main thread; Python asks no other.

    A mask would not do: the pool's own threads take the signal, and Python tells the main one.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    came: list[tuple[int, types.FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda number, frame: came.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came:
            before(*came[0])


def _start_worker() -> None:
    """Prepare a worker: leave Ctrl-C to the parent, end when it ends, repeat no warnings."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore", PluginWarning)
    parent = multiprocessing.parent_process()
    if parent is not None:

        def follow() -> None:
            # A killed parent leaves its pool waiting for ever.
            parent.join()
            os._exit(1)

        threading.Thread(target=follow, daemon=True).start()

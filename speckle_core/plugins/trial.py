"""Tries plugins in processes of their own, for those that end the process or never come back."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from speckle_core.plugins.discovery import ALLOW, allowed, installed, provider_of
from speckle_core.plugins.records import Failure

#: Seconds in which a plugin must have been imported; it imports nothing heavy.
PATIENCE = 30
# Statuses that no plugin ends a process with by chance.
_LIVED, _WAITS = 77, 78
_TRY = f"""
import os, threading, warnings
warnings.simplefilter("ignore")
from speckle_core.plugins.manager import PluginManager
PluginManager().failures
started = [t for t in threading.enumerate() if t is not threading.main_thread() and not t.daemon]
for thread in started:
    thread.join(1)
os._exit({_WAITS} if any(t.is_alive() for t in started) else {_LIVED})
"""


def try_plugins(patience: float = PATIENCE) -> tuple[list[Failure], list[str]]:
    """Import each installed plugin in a process of its own, all at once.

    Returns
    -------
    fatal : list of Failure
        Those that end the process, or take longer than `patience` seconds.
    whole : list of str
        The names of the others.
    """
    chosen = allowed()
    entries = {e.name: e for e in installed() if chosen is None or e.name in chosen}
    asked = {
        name: subprocess.Popen(  # noqa: S603 # our own text, in our own interpreter
            [sys.executable, "-c", _TRY],
            env=os.environ | {ALLOW: name},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for name in entries
    }
    until = time.monotonic() + patience
    fatal = []
    for name, process in asked.items():
        cause = ""
        try:
            status = process.wait(max(0.1, until - time.monotonic()))
            known = {
                _LIVED: "",
                _WAITS: "importing it starts a thread that keeps Python from ending",
            }
            cause = known.get(status, f"importing it ends Python with status {status}")
        except subprocess.TimeoutExpired:
            cause = f"importing it takes longer than {patience:g} s"
        finally:
            process.kill()
            process.wait()
        if cause:
            fatal.append(Failure(provider_of(entries[name]), cause))
    return fatal, sorted(entries.keys() - {failure.provider.plugin for failure in fatal})

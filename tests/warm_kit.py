"""The conformance kit without its fresh processes, where it runs on many components."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from speckle_core.plugins.discovery import installed
from speckle_core.testing import classifier, common, fresh


@contextlib.contextmanager
def asking_warm(programs: Path) -> Iterator[None]:
    """Let saved models be loaded in processes of tests/warm.py, which have torch already.

    What plugins import is still asked of real ones: of one for all that are installed, and of one
    for each package where those import something heavy.
    """
    known = {entry.module for entry in installed()}

    @functools.cache
    def listing(*modules: str) -> dict[str, Any]:
        return fresh.ask("listing", places=[fresh.place_of(module) for module in modules])

    def ask(task: str, **details: Any) -> dict[str, Any]:
        if task == "listing":
            modules = [place["module"] for place in details["places"]]
            if known.issuperset(modules) and not listing(*sorted(known))["heavy"]:
                return {"heavy": []}
            return listing(*modules)
        executable = mock.patch.object(sys, "executable", str(programs / "python"))
        with executable, mock.patch.dict(os.environ, PRELOAD="torch"):
            return fresh.ask(task, **details)

    with mock.patch.object(common, "ask", ask), mock.patch.object(classifier, "ask", ask):
        yield

"""The conformance kit without its fresh processes, where it runs on many components."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from speckle_core.testing import classifier, common, fresh


@contextlib.contextmanager
def asking_warm(programs: Path) -> Iterator[None]:
    """Let saved models be loaded in processes of tests/warm.py, which have torch already.

    What a plugin imports is still asked of a real one, but once for all components of a package.
    """

    @functools.cache
    def listing(details: str) -> dict[str, Any]:
        return fresh.ask("listing", **json.loads(details))

    def ask(task: str, **details: Any) -> dict[str, Any]:
        if task == "listing":
            return listing(json.dumps(details))
        executable = mock.patch.object(sys, "executable", str(programs / "python"))
        with executable, mock.patch.dict(os.environ, PRELOAD="torch"):
            return fresh.ask(task, **details)

    with mock.patch.object(common, "ask", ask), mock.patch.object(classifier, "ask", ask):
        yield

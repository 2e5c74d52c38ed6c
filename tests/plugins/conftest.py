from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import pytest

from tests import warm


@pytest.fixture(scope="session")
def keras_on(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Path]]:
    """Return a function: the `python` that has Keras on a backend already, and starts at once.

    Keras and its backend take five seconds to import, and a process has one backend only.
    """
    with contextlib.ExitStack() as stack:

        @functools.cache
        def python(backend: str) -> Path:
            chosen = {"KERAS_BACKEND": backend}
            with mock.patch.dict(os.environ, chosen):
                place = tmp_path_factory.mktemp(f"keras-on-{backend}")
                return stack.enter_context(warm.programs(place)) / "python"

        yield python

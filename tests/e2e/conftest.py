from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.fresh_environment import Fresh


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory, programs: Path) -> Fresh:
    return Fresh.made_in(tmp_path_factory.mktemp("venv") / "fresh", programs)

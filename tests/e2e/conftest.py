from __future__ import annotations

import pytest

from tests.e2e.fresh_environment import Fresh


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    return Fresh.made_in(tmp_path_factory.mktemp("venv") / "fresh")

import sys
from pathlib import Path

import pytest

from tests.paper.results import DOCS

SCRIPTS = Path(__file__).parents[2] / "examples" / "paper"


@pytest.fixture(scope="session", autouse=True)
def scripts():
    """Import the scripts as Python does when one of them is run."""
    sys.path.insert(0, str(SCRIPTS))
    yield SCRIPTS
    sys.path.remove(str(SCRIPTS))


@pytest.fixture(scope="session")
def page():
    """Return the text of docs/paper.md."""
    return (DOCS / "paper.md").read_text("utf-8")

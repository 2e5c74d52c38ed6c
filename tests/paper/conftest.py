import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "examples" / "paper"


@pytest.fixture(scope="session", autouse=True)
def scripts():
    """Import the scripts as Python does when one of them is run."""
    sys.path.insert(0, str(SCRIPTS))
    yield SCRIPTS
    sys.path.remove(str(SCRIPTS))

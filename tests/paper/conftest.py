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
def generator():
    """Return the package that writes tables and numbers into the pages."""
    sys.path.insert(0, str(DOCS / "_ext"))
    import results

    yield results
    sys.path.remove(str(DOCS / "_ext"))


@pytest.fixture(scope="session")
def number(generator):
    """Return a number as a page shows it: ``number("errors figure3")``."""
    return lambda call: generator.fill("{{ " + call + " }}")


@pytest.fixture(scope="session")
def table(generator):
    """Return a table as a page shows it: ``table("baselines 20221116")``."""
    return lambda call: generator.fill(f"<!-- generated: {call} -->")

"""These files are run by test_keras.py in processes of their own, one for each backend."""

import os
import sys

import pytest


@pytest.fixture(scope="session", autouse=True)
def one_framework():
    """Whatever the tests do, the other framework is not imported."""
    yield
    other = {"tensorflow": "torch", "torch": "tensorflow"}[os.environ["KERAS_BACKEND"]]
    assert "keras" in sys.modules
    assert other not in sys.modules

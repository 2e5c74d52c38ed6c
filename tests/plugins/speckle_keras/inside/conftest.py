"""These files are run by test_keras.py in processes of their own, one for each backend."""

import os
import sys

import pytest

from tests.plugins.speckle_keras.inside.small_network import SETS, TRAINED, small


@pytest.fixture(scope="session", autouse=True)
def one_framework():
    """Whatever the tests do, the other framework is not imported."""
    yield
    other = {"tensorflow": "torch", "torch": "tensorflow"}[os.environ["KERAS_BACKEND"]]
    assert "keras" in sys.modules
    assert other not in sys.modules


@pytest.fixture(scope="session")
def training():
    """Return one classifier trained to the end, and its history: each training is compiled anew."""
    one = small(**TRAINED)
    return one, one.fit(*SETS, seed=3)


@pytest.fixture(scope="session")
def trained(training):
    """Return that classifier; tests only ask it."""
    return training[0]

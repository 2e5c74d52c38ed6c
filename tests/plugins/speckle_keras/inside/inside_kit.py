"""The conformance kit on the classifier as it is registered, but around the small network.

The paper's network itself answers to `test_parity.py`: its compiling takes a minute here.
"""

from unittest import mock

import attrs
import pytest

from speckle_core import plugin_manager
from speckle_core.testing import KNOWN_NUMBER, run_checks
from speckle_keras.backend import engine
from tests.plugins.speckle_keras.inside.small_network import Small

#: With these it learns eight patterns whatever the seed. In bfloat16 a graph, as the fresh process
#: has it, rounds otherwise than what is uncompiled.
OPTIONS = {"epochs": 20, "batch_size": 4, "learning_rate": 0.01, "precision": "float32"}


@pytest.fixture(scope="module")
def results():
    component = plugin_manager().find("classifier", "keras-resnet50").component
    small = attrs.evolve(component, factory=Small)
    # A graph for each of its trainings of four steps would take longer than they do; the tests of
    # training beside this one train compiled.
    with mock.patch.object(engine, "compiled", lambda function, *_: function):
        return {r.id: r for r in run_checks("classifier", small, options=OPTIONS)}


def test_it_conforms_to_the_kit(results):
    assert len(results) == KNOWN_NUMBER["classifier"] + 1
    assert [(r.id, r.outcome, r.message) for r in results.values() if not r.ok] == []

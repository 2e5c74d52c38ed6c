"""The conformance kit on the classifier as it is registered, but around the small network.

The paper's network itself answers to `test_parity.py`: its compiling takes a minute here.
"""

import contextlib
import os
import subprocess

import attrs
import pytest

from speckle_core import plugin_manager
from speckle_core.testing import KNOWN_NUMBER, Subject, checks_for
from tests.plugins.speckle_keras.inside.small_network import Small, uncompiled

pytestmark = pytest.mark.skipif(
    os.environ["KERAS_BACKEND"] == "torch",
    reason="half a minute; with PyTorch the kit is run on two other networks",
)

#: With these it learns eight patterns whatever the seed. In bfloat16 a graph, as the fresh process
#: has it, rounds otherwise than what is uncompiled.
OPTIONS = {"epochs": 20, "batch_size": 4, "learning_rate": 0.01, "precision": "float32"}


FRESH = "classifier.saved-and-loaded-in-a-fresh-process"
#: Values are learned by the same code in `inside_any_network.py`, in half the time.
ELSEWHERE = {
    FRESH,
    "classifier.values-are-learned",
    "classifier.values-are-saved",
    "classifier.gradients-are-those-of-the-value",
}
LONG = "classifier.learns-eight-patterns"
CHECKS = [check for check in checks_for("classifier") if check.id not in ELSEWHERE]


@pytest.fixture(scope="module")
def subject():
    component = plugin_manager().find("classifier", "keras-resnet50").component
    return Subject(attrs.evolve(component, factory=Small), OPTIONS)


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_it_conforms_to_the_kit(check, subject):
    # All other trainings are of four steps.
    with contextlib.nullcontext() if check.id == LONG else uncompiled():
        check.run(subject)


@pytest.fixture
def said(monkeypatch):
    """Return a list of what processes say that are started without the settings of this one."""
    found, run = [], subprocess.run

    def noted(*arguments, **options):
        done = run(*arguments, **options)
        found.append(done.stdout + done.stderr)
        return done

    monkeypatch.setattr(subprocess, "run", noted)
    for name in ("KERAS_BACKEND", "TF_CPP_MIN_LOG_LEVEL"):
        monkeypatch.delenv(name)
    return found


def test_a_fresh_process_loads_keras_and_the_network_without_a_word(subject, said):
    (check,) = (check for check in checks_for("classifier") if check.id == FRESH)
    with uncompiled():
        check.run(subject)
    assert said == [""]


def test_nothing_else_is_left_out():
    assert len(CHECKS) == KNOWN_NUMBER["classifier"] - len(ELSEWHERE)

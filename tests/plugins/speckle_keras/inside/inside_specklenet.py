"""`keras-specklenet` in a process of Keras; that it agrees with torch's is a parity test."""

import contextlib
import os

import numpy as np
import pytest

from speckle_core import plugin_manager
from speckle_core.errors import PatternError
from speckle_core.testing import CheckSkipped, Subject, checks_for
from speckle_specklenet.classifier import KerasSpeckleNet
from tests.plugins.speckle_keras.inside.small_network import easy, uncompiled

#: The parity tests load it in fresh processes, each of which imports a framework.
ELSEWHERE = "classifier.saved-and-loaded-in-a-fresh-process"
OPTIONS = {"epochs": 40, "batch_size": 8, "evidence": "profile", "dropout": 0.0, "width": 64}


#: On TensorFlow values are learned in `inside_any_network.py`.
CHECKS = [
    check
    for check in checks_for("classifier")
    if check.id != ELSEWHERE
    and not ("value" in check.id and os.environ["KERAS_BACKEND"] == "tensorflow")
]
LONG = "classifier.learns-eight-patterns"


@pytest.fixture(scope="module")
def subject():
    return Subject(plugin_manager().find("classifier", "keras-specklenet").component, OPTIONS)


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_it_conforms_to_the_kit(check, subject):
    # All other trainings are of two steps.
    with contextlib.nullcontext() if check.id == LONG else uncompiled():
        try:
            check.run(subject)
        except CheckSkipped as skipped:
            pytest.skip(skipped.what)


def test_what_the_evidence_cannot_read_is_told_from_within_a_graph():
    one = KerasSpeckleNet(epochs=1, batch_size=8, evidence="profile", device="cpu")
    one.fit(easy(8), easy(0), seed=0)
    with pytest.raises(PatternError, match="same value everywhere"):
        one.predict_proba(np.ones((1, 33, 33), dtype=np.float32))
    assert one.predict_proba(easy(2).batch([0, 1])[0]).shape == (2, 3)

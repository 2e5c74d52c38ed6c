import numpy as np

from speckle_specklenet.evidence import Evidence
from speckle_specklenet.remembered import Remembered


def test_the_evidence_of_a_pattern_is_computed_once(patterns):
    computed = []

    class Counted(Evidence):
        def __call__(self, values):
            computed.append(len(values))
            return super().__call__(values)

    values, evidence = patterns.batch(np.arange(3))[0], Remembered(Counted(129, 8))
    last = evidence(values[1:])
    np.testing.assert_array_equal(evidence(values)[1:], last)
    np.testing.assert_array_equal(evidence(values), Evidence(129, 8)(values))
    assert computed == [2, 1, 0]


def test_no_more_is_remembered_than_has_room(patterns, monkeypatch):
    monkeypatch.setattr("speckle_specklenet.remembered._MOST", 2)
    evidence = Remembered(Evidence(129, 8))
    assert evidence(patterns.batch(np.arange(3))[0]).shape == (3, evidence.evidence.width)
    assert len(evidence._found) == 2

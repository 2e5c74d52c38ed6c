from __future__ import annotations

from speckle_core import Evaluation
from speckle_core.models.evaluate import verdict_of


def evaluation(*predicted: int) -> Evaluation:
    return Evaluation([2, 3], [2, 3] * 50, list(predicted) * 50)


def test_the_verdict_names_a_baseline_in_its_plugins_words() -> None:
    said = verdict_of({"net": evaluation(2, 3), "radial-lda": evaluation(2, 3)})
    assert said.startswith("radial-lda, ")
    assert "does not need a network" in said
    assert ". reads" not in said


def test_the_verdict_does_without_words_of_a_plugin_that_is_gone() -> None:
    said = verdict_of({"net": evaluation(2, 2), "gone": evaluation(2, 3)})
    assert said.startswith("gone ")

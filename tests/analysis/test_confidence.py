"""What probabilities are worth, against closed forms, a grid search and the stated guarantee."""

from __future__ import annotations

import math

import numpy as np
import pytest

from speckle_core.analysis.confidence import (
    Confidence,
    accuracy_by_share,
    confidence_of,
    sentences,
    tempered,
)
from speckle_core.analysis.evaluation import Evaluation


def drawn(count: int, seed: int, sharpness: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities (N, 4), and classes drawn from them before they are sharpened."""
    rng = np.random.default_rng(seed)
    honest = rng.dirichlet(np.full(4, 0.5), size=count)
    targets = (rng.random((count, 1)) > honest.cumsum(axis=1)).sum(axis=1)
    return tempered(honest, 1 / sharpness), targets


def test_a_temperature_divides_the_logarithms() -> None:
    odds = np.array([[4.0, 1.0], [1.0, 9.0]])
    found = tempered(odds / odds.sum(axis=1, keepdims=True), 2)
    np.testing.assert_allclose(found, [[2 / 3, 1 / 3], [1 / 4, 3 / 4]])
    assert tempered([[1.0, 0.0]], 2.0)[0, 0] == pytest.approx(1)


def test_of_two_classes_it_has_a_closed_form() -> None:
    """At probability p and r right of n the best temperature is logit(p) / logit(r / n)."""
    rates = np.tile([0.9, 0.1], (20, 1))
    targets = np.array([0] * 14 + [1] * 6)
    found = Confidence.fit(rates, targets).temperature
    assert found == pytest.approx(math.log(9) / math.log(14 / 6), rel=1e-3)


def test_the_temperature_is_the_one_that_sharpened() -> None:
    rates, targets = drawn(20_000, 0, sharpness=2.5)
    assert Confidence.fit(rates, targets).temperature == pytest.approx(2.5, rel=0.05)


def test_it_has_the_lowest_log_loss_of_a_grid() -> None:
    rates, targets = drawn(300, 1, sharpness=0.5)
    losses = {
        t: -np.log(tempered(rates, t)[np.arange(300), targets]).mean()
        for t in np.geomspace(0.1, 10, 2001)
    }
    best = min(losses, key=losses.__getitem__)
    assert Confidence.fit(rates, targets).temperature == pytest.approx(best, rel=3e-3)


def test_a_threshold_is_the_rank_that_is_stated() -> None:
    learned = Confidence(1.0, np.arange(1, 10) / 10)  # nine scores: ranks of ten
    assert learned.threshold(0.9) == 0.9
    assert learned.threshold(0.85) == 0.9
    assert learned.threshold(0.8) == 0.8
    assert learned.threshold(0.95) == math.inf
    assert learned.sets([[0.2, 0.8], [0.19, 0.81]], 0.8).tolist() == [[True, True], [False, True]]
    assert learned.sets([[0.0, 1.0]], 0.95).tolist() == [[True, True]]


@pytest.mark.parametrize("coverage", [0.8, 0.95])
@pytest.mark.parametrize("sharpness", [0.4, 4.0])
def test_sets_cover_as_often_as_is_stated_however_wrong_the_probabilities(
    coverage: float, sharpness: float
) -> None:
    """Over many draws of both parts, between the coverage and 1 / (N + 1) above it."""
    covered = []
    for seed in range(150):
        rates, targets = drawn(139, seed, sharpness)
        learned = Confidence.fit(rates[:39], targets[:39])
        inside = learned.sets(rates[39:], coverage)
        covered.append(inside[np.arange(100), targets[39:]].mean())
    mean, error = np.mean(covered), np.std(covered) / math.sqrt(len(covered))
    assert coverage - 3 * error <= mean <= coverage + 1 / 40 + 3 * error


def evaluation() -> Evaluation:
    sure = np.array([0.6, 0.9, 0.8, 0.7])
    rates = np.stack([sure, 1 - sure], axis=1)
    return Evaluation([2, 5], [2, 2, 5, 2], [2, 2, 2, 2], rates)


def test_the_surest_patterns_come_first() -> None:
    np.testing.assert_allclose(accuracy_by_share(evaluation()), [1, 1 / 2, 2 / 3, 3 / 4])
    assert accuracy_by_share(Evaluation([2, 5], [2], [2])) is None


def test_what_is_reported_are_these_numbers_in_words_as_well() -> None:
    learned = Confidence(2.0, np.linspace(0.1, 0.5, 100))
    told = confidence_of(evaluation(), learned)
    assert told is not None
    # Right are 0.6, 0.9 and 0.7: each is a bin of its own.
    assert told["calibration_error"] == pytest.approx((0.4 + 0.1 + 0.8 + 0.3) / 4)
    assert [a["accuracy"] for a in told["answering"]] == [3 / 4, 3 / 4, 3 / 4, 2 / 3, 1 / 2]
    assert [s["stated"] for s in told["sets"]] == [0.9, 0.95, 0.99]
    # Scores of the true classes: 0.4, 0.1, 0.8, 0.3; of the others 0.6, 0.9, 0.2, 0.7.
    assert told["sets"][2]["covered"]["value"] == 3 / 4
    assert told["sets"][2]["mean_size"] == 1
    assert told["sets"][2]["covered"]["interval"] == list(evaluation().interval(3 / 4))
    # At temperature 2 odds are their roots: right at 0.6, 0.9 and 0.7, wrong at 0.8.
    sure = np.sqrt([0.6, 0.9, 0.8, 0.7]) / (
        np.sqrt([0.6, 0.9, 0.8, 0.7]) + np.sqrt([0.4, 0.1, 0.2, 0.3])
    )
    places, right = np.floor(10 * sure), np.array([1, 1, 0, 1])
    gaps = [abs((right - sure)[places == place].sum()) for place in set(places)]
    assert told["tempered_calibration_error"] == pytest.approx(sum(gaps) / 4)
    said = " ".join(sentences(told))
    assert "surest 50% 0.500 are right" in said
    assert "temperature 2.00, learned from 100 validation patterns" in said
    assert "99%: 1.0 numbers, 0.750 covered" in said
    assert set(confidence_of(evaluation(), None) or {}) == {"calibration_error", "answering"}
    assert confidence_of(Evaluation([2, 5], [2], [2]), learned) is None
    assert sentences(None) == []

import numpy as np
import pytest

from speckle_core.analysis.conformal import Conformal, conformal_quantile, patterns_needed


def test_the_quantile_is_the_rank_of_the_definition():
    scores = np.arange(1.0, 10.0)
    assert conformal_quantile(scores, 0.9) == 9
    assert conformal_quantile(scores, 0.5) == 5
    assert conformal_quantile(scores, 0.95) == np.inf


@pytest.mark.parametrize("coverage", [0.8, 0.9])
def test_intervals_hold_the_stated_share_where_the_spread_varies(coverage):
    rng = np.random.default_rng(0)
    covered, narrow = [], []
    for _ in range(200):
        spread = rng.uniform(0.1, 3, size=600)
        truth = rng.normal(size=600) * spread
        found = np.stack([np.zeros(600), spread], axis=1)
        low, high = Conformal.fit(found[:99], truth[:99]).intervals(found[99:], coverage).T
        covered.append(np.mean((low <= truth[99:]) & (truth[99:] <= high)))
        narrow.append(np.corrcoef(high - low, spread[99:])[0, 1])
    # Within three standard errors of the mean over the draws.
    assert np.mean(covered) == pytest.approx(coverage, abs=0.01)
    assert np.min(narrow) > 0.999


def test_too_few_patterns_give_no_interval():
    ends = Conformal(np.zeros(0)).intervals([[1.0, 0.5]], 0.9)
    assert np.isinf(ends).all()


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9, 0.95, 0.99, 0.683])
def test_the_patterns_needed_are_the_least_that_give_an_interval(coverage):
    needed = patterns_needed(coverage)
    assert np.isfinite(conformal_quantile(np.arange(float(needed)), coverage))
    assert conformal_quantile(np.arange(needed - 1.0), coverage) == np.inf

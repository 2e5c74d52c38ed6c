import numpy as np
import pytest
from sklearn.linear_model import BayesianRidge

from speckle_baselines.radial_lda import RadialLDA
from speckle_baselines.ridge import Ridge
from speckle_core import KGrid, PatternSet
from speckle_core.errors import DataError, ModelError, OptionError

RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(60, 5)) * [1, 10, 0.1, 1, 0] + 3
VALUES = 50 + 4 * (FEATURES[:, 0] - 3) + RNG.normal(size=60)


def rings(count, seed=0):
    """Patterns whose lobe is as wide as their value."""
    rng, grid = np.random.default_rng(seed), KGrid.centered(33, 0.1)
    widths = rng.uniform(3, 9, size=count)
    patterns = np.exp(-((grid.distance() / widths[:, None, None]) ** 2))
    patterns += 0.01 * rng.random(patterns.shape)
    labels = np.resize([2, 3], count)
    made = PatternSet.from_arrays(patterns.astype(np.float32), labels, grid)
    return made.with_values(10 * widths)


def test_values_and_spreads_are_those_of_scikit_learn():
    found = Ridge.learn(FEATURES, VALUES, VALUES.mean(), VALUES.std()).values(FEATURES)
    scale = np.where(FEATURES.std(0) > 0, FEATURES.std(0), 1)
    standard = (FEATURES - FEATURES.mean(0)) / scale
    fitted = BayesianRidge().fit(standard, (VALUES - VALUES.mean()) / VALUES.std())
    mean, spread = fitted.predict(standard, return_std=True)
    np.testing.assert_allclose(found[:, 0], VALUES.mean() + VALUES.std() * mean, rtol=1e-9)
    np.testing.assert_allclose(found[:, 1], VALUES.std() * spread, rtol=1e-9)


def test_far_from_the_training_the_spread_is_larger():
    rule = Ridge.learn(FEATURES, VALUES, VALUES.mean(), VALUES.std())
    near, far = rule.values(np.stack([FEATURES.mean(0), FEATURES.mean(0) + 100]))[:, 1]
    assert far > 10 * near


@pytest.mark.parametrize(
    "change",
    [
        {"level": np.array([1.0, 0.0, 1.0])},
        {"weights": np.full(5, np.nan)},
        {"covariance": np.eye(4)},
        {"scale": np.zeros(5)},
    ],
)
def test_arrays_that_are_no_rule_are_refused(change):
    arrays = Ridge.learn(FEATURES, VALUES, VALUES.mean(), VALUES.std()).arrays()
    np.testing.assert_array_equal(Ridge.of(arrays, 5).values(FEATURES)[:3].shape, (3, 2))
    with pytest.raises(ValueError, match=r"array|scale"):
        Ridge.of(arrays | change, 5)


def test_a_rule_on_rings_reads_the_width_of_a_lobe(tmp_path):
    train, test = rings(60), rings(20, 1)
    rule = RadialLDA()
    (epoch,) = rule.fit(train, test, seed=0)
    value = rule.predict_values(np.asarray(test))[:, 0]
    explained = 1 - np.mean((value - test.values) ** 2) / train.values.var()
    assert explained > 0.95
    assert epoch.valid_accuracy == pytest.approx(explained)
    rule.save(tmp_path)
    again = RadialLDA()
    again.load(tmp_path)
    np.testing.assert_array_equal(again.predict_values(np.asarray(test))[:, 0], value)
    with pytest.raises(ModelError, match="learned a value"):
        again.predict_proba(np.asarray(test))
    with pytest.raises(DataError, match="the same in all"):
        rule.fit(train.with_values(np.ones(60)), test, seed=0)
    with pytest.raises(OptionError, match="a value has none"):
        RadialLDA(class_weights="balanced").fit(train, test, seed=0)

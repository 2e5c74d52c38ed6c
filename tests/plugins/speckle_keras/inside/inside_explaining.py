import numpy as np
import pytest

from speckle_core import (
    SupportsFeatureMaps,
    SupportsGradients,
    SupportsRandomised,
)
from speckle_core.errors import DataError, ModelError, OptionError, PatternError
from speckle_resnet.architecture import initial_weights, tensors
from tests.plugins.speckle_keras.inside.small_network import SMALL, easy, small, uncompiled

PATTERNS = easy(5, 7).batch(range(5))[0]
TARGETS = np.array([0, 1, 2, 0, 1])


def test_it_has_the_powers_that_explainers_ask_for(trained):
    for power in (SupportsGradients, SupportsFeatureMaps, SupportsRandomised):
        assert isinstance(trained, power)


def snapshot(one):
    model = one._fitted.network.model
    return (
        one._fitted.network.weights(),
        [layer.dtype_policy.name for layer in model.at.values()],
        [v.trainable for v in model.named_variables().values()],
    )


def scores(one, patterns):
    network = one._fitted.network
    with network.computing():
        return network.scores(patterns)


def test_gradients_are_difference_quotients_of_the_linear_score(trained):
    ours = trained.input_gradients(PATTERNS, TARGETS)
    assert ours.shape == PATTERNS.shape
    rng = np.random.default_rng(0)
    for _ in range(4):
        # Along a random direction the rounding of float32 averages out; ReLUs bend a little.
        direction = np.sign(rng.standard_normal(PATTERNS.shape)).astype(np.float32) * 1e-3
        up, down = (scores(trained, PATTERNS + s * direction) for s in (1, -1))
        quotient = (up - down)[np.arange(5), TARGETS] / 2
        expected = (ours * direction).sum((1, 2))
        np.testing.assert_allclose(quotient, expected, atol=0.02 * np.abs(ours).sum() * 1e-3 / 5)


def test_guided_gradients_are_others(trained):
    plain, guided = (trained.input_gradients(PATTERNS, TARGETS, guided=g) for g in (False, True))
    assert np.abs(plain - guided).max() > 0.01 * np.abs(plain).max()


def test_feature_maps_give_the_score_and_their_gradients_are_the_dense_kernel(trained):
    maps, gradients = trained.feature_maps(PATTERNS, TARGETS)
    assert maps.shape == gradients.shape == (5, 16, 5, 5)
    assert maps.min() >= 0
    weights = trained._fitted.network.weights()
    kernel, bias = weights["dense.kernel"], weights["dense.bias"]
    expected = kernel[:, TARGETS].T[:, :, None, None] / 25 * np.ones((1, 1, 5, 5))
    np.testing.assert_allclose(gradients, expected, rtol=1e-5)
    np.testing.assert_allclose(
        maps.mean((2, 3)) @ kernel + bias, scores(trained, PATTERNS), rtol=1e-4, atol=1e-5
    )


def test_every_stage_can_be_named(trained):
    maps, gradients = trained.feature_maps(PATTERNS, TARGETS, stage="stage1")
    assert maps.shape == gradients.shape == (5, 12, 9, 9)
    assert np.abs(gradients).max() > 0
    last = trained.feature_maps(PATTERNS, TARGETS, stage=f"stage{len(SMALL.blocks)}")
    assert (last[0] == trained.feature_maps(PATTERNS, TARGETS)[0]).all()
    with pytest.raises(OptionError, match="'stage1', 'stage2'"):
        trained.feature_maps(PATTERNS, TARGETS, stage="stage9")


def test_asking_leaves_the_network_as_it_was(trained):
    before = snapshot(trained)
    probabilities = trained.predict_proba(PATTERNS)
    trained.input_gradients(PATTERNS, TARGETS)
    trained.input_gradients(PATTERNS, TARGETS, guided=True)
    trained.feature_maps(PATTERNS, TARGETS)
    trained.randomised(seed=5)
    after = snapshot(trained)
    assert before[1:] == after[1:]
    assert all((values == after[0][name]).all() for name, values in before[0].items())
    assert (trained.predict_proba(PATTERNS) == probabilities).all()


def test_a_randomised_network_has_the_first_weights_of_its_seed(trained):
    one = trained.randomised(seed=5)
    weights, expected = one._fitted.network.weights(), initial_weights(tensors(SMALL, 3, 3), 5)
    assert weights.keys() == expected.keys()
    assert all((weights[name] == values).all() for name, values in expected.items())
    with uncompiled():
        ours, theirs = (c.input_gradients(PATTERNS, TARGETS) for c in (one, trained))
    assert (ours != theirs).any()
    assert one.classes.tolist() == [2, 3, 5]
    assert repr(one) == repr(trained)


def test_a_pattern_alone_gives_what_it_gives_among_others(trained):
    alone = np.concatenate([trained.predict_proba(p[None]) for p in PATTERNS])
    np.testing.assert_allclose(alone, trained.predict_proba(PATTERNS), atol=1e-6)
    alone = np.concatenate(
        [trained.input_gradients(p[None], [t]) for p, t in zip(PATTERNS, TARGETS, strict=True)]
    )
    np.testing.assert_allclose(alone, trained.input_gradients(PATTERNS, TARGETS), atol=1e-6)


def test_a_cropped_network_ignores_what_lies_outside(trained, tmp_path):
    trained.save(tmp_path)
    one = small(channels=3, crop=33)
    one.load(tmp_path)
    patterns = easy(6, 3, size=97).batch(range(2))[0]
    with uncompiled():
        gradients = one.input_gradients(patterns, [0, 1])
        maps, _ = one.feature_maps(patterns, [0, 1])
    inside = np.zeros((97, 97), bool)
    inside[32:65, 32:65] = True
    assert (gradients[:, ~inside] == 0).all()
    assert np.abs(gradients[:, inside]).max() > 0
    assert maps.shape[2:] == (13, 13)  # 5 × 5 of the crop, and 32 pixels, 4 map pixels, around
    assert (maps[:, :, :4] == 0).all()
    with pytest.raises(PatternError, match="central 33 × 33"):
        one.predict_proba(patterns[:, :31, :31])


def test_no_patterns_give_no_probabilities(trained):
    assert trained.predict_proba(np.zeros((0, 33, 33))).shape == (0, 3)


def test_unfit_patterns_and_targets_are_refused(trained):
    with pytest.raises(PatternError, match="pattern 0 contains NaN"):
        trained.predict_proba(np.full((2, 33, 33), np.nan))
    with pytest.raises(DataError, match="targets"):
        trained.feature_maps(PATTERNS, [0, 1, 2, 3, 0])
    with pytest.raises(ModelError, match="not trained"):
        small().input_gradients(PATTERNS, TARGETS)

import numpy as np
import pytest

torch = pytest.importorskip("torch")
attribution = pytest.importorskip("captum.attr")

from speckle_core import (  # noqa: E402
    SupportsFeatureMaps,
    SupportsGradients,
    SupportsRandomised,
    SupportsRegion,
)
from speckle_core.errors import DataError, ModelError, OptionError, PatternError  # noqa: E402
from speckle_resnet.architecture import initial_weights, tensors  # noqa: E402
from speckle_torch.network import build  # noqa: E402
from tests.plugins.speckle_torch.tiny_network import TINY, easy, tiny  # noqa: E402

PATTERNS = easy(5, 7).batch(range(5))[0]
TARGETS = np.array([0, 1, 2, 0, 1])


@pytest.fixture(scope="module")
def trained():
    one = tiny(channels=3, epochs=3)
    one.fit(easy(18), easy(6, 1), seed=1)
    assert isinstance(one, SupportsGradients)
    assert isinstance(one, SupportsFeatureMaps)
    return one


def snapshot(one):
    network = one._fitted.network.module
    hooks = [
        len(getattr(module, name))
        for module in network.modules()
        for name in ("_forward_hooks", "_backward_hooks", "_forward_pre_hooks")
    ]
    return (
        {name: tensor.clone() for name, tensor in network.state_dict().items()},
        [p.grad for p in network.parameters()],
        [module.training for module in network.modules()],
        sum(hooks),
    )


def test_gradients_are_finite_differences_of_the_linear_score():
    """In float64, where a difference quotient has ten digits; the classifier's own is float32."""
    network = build(TINY, 1, 3, initial_weights(tensors(TINY, 1, 3), 2)).eval().double()
    x = torch.from_numpy(PATTERNS[:1].astype(np.float64)).requires_grad_()
    (gradient,) = torch.autograd.grad(network(x)[0, 1], x)
    one = tiny(epochs=1)
    one.fit(easy(6), easy(0), seed=2)
    one._fitted.network.module.load_state_dict(network.state_dict())
    ours = one.input_gradients(PATTERNS[:1], [1])
    np.testing.assert_allclose(ours, gradient.numpy(), rtol=1e-3, atol=1e-6)
    rng = np.random.default_rng(0)
    for row, column in rng.integers(33, size=(12, 2)):
        quotient = []
        for sign in (1, -1):
            moved = PATTERNS[:1].astype(np.float64)
            moved[0, row, column] += sign * 1e-6
            with torch.no_grad():
                quotient.append(network(torch.from_numpy(moved))[0, 1].item() * sign)
        assert gradient[0, row, column].item() == pytest.approx(sum(quotient) / 2e-6, abs=1e-7)


@pytest.mark.filterwarnings("ignore:Input Tensor 0 did not already require gradients")
def test_saliency_is_captums(trained):
    network = trained._fitted.network.module
    expected = attribution.Saliency(network).attribute(
        torch.from_numpy(PATTERNS), torch.from_numpy(TARGETS), abs=False
    )
    ours = trained.input_gradients(PATTERNS, TARGETS)
    assert ours.shape == PATTERNS.shape
    np.testing.assert_allclose(ours, expected.numpy(), rtol=1e-5, atol=1e-8)


@pytest.mark.filterwarnings("ignore:Input Tensor 0 did not already require gradients")
@pytest.mark.filterwarnings("ignore:Setting backward hooks on ReLU activations")
def test_guided_gradients_are_captums(trained):
    expected = attribution.GuidedBackprop(trained._fitted.network.module).attribute(
        torch.from_numpy(PATTERNS), torch.from_numpy(TARGETS)
    )
    ours = trained.input_gradients(PATTERNS, TARGETS, guided=True)
    np.testing.assert_allclose(ours, expected.numpy(), rtol=1e-5, atol=1e-8)
    assert np.abs(ours - trained.input_gradients(PATTERNS, TARGETS)).max() > 1e-3


def test_feature_maps_give_the_score_and_their_gradients_are_the_dense_kernel(trained):
    maps, gradients = trained.feature_maps(PATTERNS, TARGETS)
    assert maps.shape == gradients.shape == (5, 20, 2, 2)
    assert maps.min() >= 0
    kernel = trained._fitted.network.module.dense.weight.numpy()
    expected = kernel[TARGETS][:, :, None, None] / 4 * np.ones((1, 1, 2, 2))
    np.testing.assert_allclose(gradients, expected, rtol=1e-5)
    scores = maps.mean((2, 3)) @ kernel.T + trained._fitted.network.module.dense.bias.numpy()
    odds = np.exp(scores - scores.max(1, keepdims=True))
    np.testing.assert_allclose(
        odds / odds.sum(1, keepdims=True), trained.predict_proba(PATTERNS), rtol=1e-4, atol=1e-6
    )


def test_asking_leaves_the_network_as_it_was(trained):
    before = snapshot(trained)
    probabilities = trained.predict_proba(PATTERNS)
    trained.input_gradients(PATTERNS, TARGETS)
    trained.input_gradients(PATTERNS, TARGETS, guided=True)
    trained.feature_maps(PATTERNS, TARGETS)
    after = snapshot(trained)
    assert before[1:] == after[1:]
    assert after[3] == 0
    assert all(torch.equal(tensor, after[0][name]) for name, tensor in before[0].items())
    assert (trained.predict_proba(PATTERNS) == probabilities).all()


def test_a_randomised_network_has_the_first_weights_of_its_seed(trained):
    assert isinstance(trained, SupportsRandomised)
    before = snapshot(trained)
    one, again, other = (trained.randomised(seed=seed) for seed in (5, 5, 6))
    maps = [c.input_gradients(PATTERNS, TARGETS) for c in (one, again, other, trained)]
    assert (maps[0] == maps[1]).all()
    assert (maps[0] != maps[2]).any()
    assert (maps[0] != maps[3]).any()
    assert (repr(one), one.classes.tolist()) == (repr(trained), [2, 3, 5])
    after = snapshot(trained)
    assert all(torch.equal(tensor, after[0][name]) for name, tensor in before[0].items())


def test_another_target_gives_another_map(trained):
    first, second = (trained.input_gradients(PATTERNS, TARGETS * 0 + t) for t in (0, 2))
    assert np.abs(first - second).max() > 1e-4


def test_a_pattern_alone_gives_what_it_gives_among_others(trained):
    alone = np.concatenate([trained.predict_proba(p[None]) for p in PATTERNS])
    np.testing.assert_allclose(alone, trained.predict_proba(PATTERNS), atol=1e-6)
    alone = np.concatenate(
        [trained.input_gradients(p[None], [t]) for p, t in zip(PATTERNS, TARGETS, strict=True)]
    )
    np.testing.assert_allclose(alone, trained.input_gradients(PATTERNS, TARGETS), atol=1e-6)


def test_many_patterns_go_through_in_batches(trained, monkeypatch):
    whole = trained.input_gradients(PATTERNS, TARGETS)
    few = property(lambda network: 33 * 33 * 8)
    monkeypatch.setattr("speckle_torch.framework.TorchNetwork.pixels_at_once", few)
    np.testing.assert_allclose(trained.input_gradients(PATTERNS, TARGETS), whole, atol=1e-6)


def test_a_cropped_network_ignores_what_lies_outside():
    one = tiny(epochs=1, crop=33)
    large = easy(6, 3, size=97)
    one.fit(large, easy(0, size=97), seed=1)
    patterns = large.batch(range(2))[0]
    gradients = one.input_gradients(patterns, [0, 1])
    inside = np.zeros((97, 97), bool)
    inside[32:65, 32:65] = True
    assert (gradients[:, ~inside] == 0).all()
    assert np.abs(gradients[:, inside]).max() > 0
    maps, _ = one.feature_maps(patterns, [0, 1])
    assert maps.shape[2:] == (4, 4)  # 2 × 2 of the crop, and 32 pixels, one map pixel, around
    assert (maps[:, :, 0] == 0).all()
    assert isinstance(one, SupportsRegion)
    np.testing.assert_array_equal(one.region((97, 97)), inside)
    noise = np.random.default_rng(0).normal(size=patterns.shape).astype(patterns.dtype)
    moved = np.where(inside, patterns, noise)
    np.testing.assert_array_equal(one.predict_proba(moved), one.predict_proba(patterns))
    for refused in (lambda: one.predict_proba(patterns[:, :31, :31]), lambda: one.region((31, 31))):
        with pytest.raises(PatternError, match="central 33 × 33"):
            refused()


@pytest.mark.parametrize(
    ("crop", "rows", "columns", "map_rows"),
    [(None, slice(48, 97), slice(0, 97), 2), (33, slice(48, 65), slice(32, 65), 2)],
)
def test_a_network_of_the_half_ignores_the_rest(crop, rows, columns, map_rows):
    one = tiny(epochs=1, crop=crop, half=True)
    large = easy(6, 3, size=97)
    one.fit(large, easy(0, size=97), seed=1)
    patterns = large.batch(range(2))[0]
    inside = np.zeros((97, 97), bool)
    inside[rows, columns] = True
    np.testing.assert_array_equal(one.region((97, 97)), inside)
    gradients = one.input_gradients(patterns, [0, 1])
    assert (gradients[:, ~inside] == 0).all()
    assert np.abs(gradients[:, inside]).max() > 0
    maps, slopes = one.feature_maps(patterns, [0, 1])
    assert maps.shape == slopes.shape == (2, 20, 4, 4)
    # Map pixel i lies over pattern pixel 32 i; the middle row is pixel 48.
    assert (maps[:, :, :map_rows] == 0).all()
    noise = np.random.default_rng(0).normal(size=patterns.shape).astype(patterns.dtype)
    moved = np.where(inside, patterns, noise)
    np.testing.assert_array_equal(one.predict_proba(moved), one.predict_proba(patterns))


def test_a_network_without_a_crop_reads_every_pixel(trained):
    assert trained.region((33, 35)).shape == (33, 35)
    assert trained.region((33, 35)).all()


def test_no_patterns_give_no_probabilities(trained):
    assert trained.predict_proba(np.zeros((0, 33, 33))).shape == (0, 3)


@pytest.mark.parametrize(
    ("patterns", "cause"),
    [
        (np.full((2, 33, 33), np.nan), "pattern 0 contains NaN"),
        (
            np.stack([np.zeros((33, 33)), np.full((33, 33), np.inf)]),
            "pattern 1 contains NaN or inf",
        ),
        (np.zeros((33, 33)), r"\(B, ny, nx\)"),
    ],
)
def test_unfit_patterns_are_refused(trained, patterns, cause):
    with pytest.raises(PatternError, match=cause):
        trained.predict_proba(patterns)


@pytest.mark.parametrize("targets", [[0, 1, 2, 3, 0], [-1, 0, 0, 0, 0], [0, 1]])
def test_targets_outside_the_classes_are_refused(trained, targets):
    with pytest.raises(DataError, match="targets"):
        trained.feature_maps(PATTERNS, targets)


def test_an_untrained_network_says_so():
    with pytest.raises(ModelError, match="not trained"):
        tiny().input_gradients(PATTERNS, TARGETS)


@pytest.mark.parametrize(("stage", "shape"), [("stage1", (8, 9, 9)), ("stage3", (16, 3, 3))])
def test_a_named_stage_gives_its_maps_and_what_moves_the_score(trained, stage, shape):
    maps, gradients = trained.feature_maps(PATTERNS, TARGETS, stage=stage)
    assert maps.shape == gradients.shape == (5, *shape)
    network = trained._fitted.network.module
    expected = attribution.LayerGradCam(network, getattr(network, stage)).attribute(
        torch.from_numpy(PATTERNS), torch.from_numpy(TARGETS)
    )
    ours = (gradients.mean((2, 3))[:, :, None, None] * maps).sum(1)
    np.testing.assert_allclose(ours, expected[:, 0].detach().numpy(), rtol=1e-4, atol=1e-6)


def test_an_unknown_stage_is_refused_with_the_known_ones(trained):
    with pytest.raises(OptionError, match="'stage9' is not one of 'stage1', 'stage2'"):
        trained.feature_maps(PATTERNS, TARGETS, stage="stage9")

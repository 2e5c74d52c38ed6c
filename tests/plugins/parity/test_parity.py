"""One network in three ways of computing it; each framework in processes of its own."""

import numpy as np
import pytest

pytestmark = pytest.mark.xdist_group("keras")

#: The paper's network, and a small one.
MODELS = ("by torch", "small by keras")
OTHERS = ("keras", "keras on torch")


@pytest.mark.parametrize("size", [64, 65, 129])
@pytest.mark.parametrize("who", OTHERS)
@pytest.mark.parametrize("model", MODELS)
def test_the_same_weights_give_the_same_probabilities(said, model, who, size):
    ours, theirs = (said(model, w)[f"probabilities{size}"] for w in ("torch", who))
    assert np.abs(ours - theirs).max() <= 1e-4
    alone = said(model, who)["alone"]
    assert np.abs(alone - said(model, who)["probabilities129"][1:]).max() <= 1e-4
    # Neither certain nor evenly spread, which anything would agree on.
    assert 0.3 < ours.max() < 0.999


@pytest.mark.parametrize(
    ("model", "explainer"),
    [
        *((model, explainer) for model in MODELS for explainer in ("saliency", "grad-cam")),
        ("small by keras", "guided-saliency"),
        ("small by keras", "integrated-gradients"),
        ("small by keras", "grad-cam of stage1"),
    ],
)
@pytest.mark.parametrize("who", OTHERS)
def test_the_same_weights_give_the_same_maps(said, who, model, explainer):
    ours, theirs = (said(model, w)[explainer].reshape(3, -1) for w in ("torch", who))
    length = np.linalg.norm(ours, axis=1)
    assert length.min() > 0
    cosine = (ours * theirs).sum(1) / length / np.linalg.norm(theirs, axis=1)
    assert cosine.min() >= 0.999
    np.testing.assert_allclose(np.linalg.norm(theirs, axis=1), length, rtol=1e-2)


def test_the_maps_of_two_models_differ(said):
    """So that equal maps above mean something."""
    first, second = (said(model, "torch")["saliency"].ravel() for model in MODELS)
    assert first @ second < 0.9 * np.linalg.norm(first) * np.linalg.norm(second)


@pytest.mark.parametrize("who", OTHERS)
def test_training_takes_the_same_steps(said, who):
    ours, theirs = (said("small", w) for w in ("torch", who))
    loss_and_accuracy = np.s_[:, :2]
    np.testing.assert_allclose(
        theirs["history"][loss_and_accuracy], ours["history"][loss_and_accuracy], atol=2e-5
    )
    for name in ours.files:
        # A bias before a batch norm has no gradient but rounding, which Adam blows up; the
        # averages' means follow it.
        if name.endswith((".kernel", ".gamma", ".beta", "dense.bias", ".moving_variance")):
            np.testing.assert_allclose(theirs[name], ours[name], atol=2e-5, err_msg=name)


@pytest.mark.parametrize("who", OTHERS)
def test_a_validation_loss_is_what_torch_finds_for_the_same_weights(said, who):
    """Not what torch had in its own training: there the biases above have other rounding.

    In training a batch norm takes them out again; in validation it subtracts an average that lags
    behind, so that they show in the fourth digit of the loss, another one for every number of
    threads.
    """
    losses = said("small", who)["history"][:, 2]
    assert said(f"small by {who}", "torch")["loss"] == pytest.approx(losses.min(), rel=1e-5)


@pytest.mark.parametrize("who", OTHERS)
def test_a_specklenet_says_the_same_and_learns_the_same(said, who):
    ours, theirs = (said("net", w) for w in ("torch", who))
    assert np.abs(ours["said"] - theirs["said"]).max() <= 1e-5
    assert 0.4 < ours["said"].max() < 0.999
    assert sorted(ours.files) == sorted(theirs.files)
    np.testing.assert_allclose(theirs["history"], ours["history"], rtol=1e-4)
    for name in set(ours.files) - {"said", "history"}:
        assert theirs[name].dtype == ours[name].dtype
        off = np.abs(theirs[name] - ours[name])
        # AdamW divides a gradient by its own size: one that is all rounding may go either way, by
        # less than a step.
        assert np.mean(off > 2e-4 + 1e-3 * np.abs(ours[name])) <= 1e-3, name
        assert off.max() < 2e-3, name

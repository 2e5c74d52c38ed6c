"""The explainers on networks so small that every map can be worked out by hand."""

import attrs
import numpy as np
import pytest

from speckle_core.errors import DataError, OptionError, PluginError
from speckle_explain.grad_cam import GradCam, resize
from speckle_explain.integrated import IntegratedGradients
from speckle_explain.saliency import GuidedSaliency, Saliency

X = np.array([[1.0, -2.0], [3.0, 0.5]])
W = np.array([[[2.0, -1.0], [0.0, 4.0]], [[-3.0, 0.5], [1.0, 0.0]]])


@attrs.define
class Linear:
    """score_t = Σ W_t x, so that every gradient is W_t."""

    batches: list[int] = attrs.field(factory=list)

    def input_gradients(self, patterns, targets, *, guided=False):
        self.batches.append(len(patterns))
        return W[targets]


class Quadratic:
    """score_t = Σ W_t x², so that the gradient is 2 W_t x."""

    def score(self, patterns, targets):
        return np.sum(W[targets] * patterns**2, axis=(1, 2))

    def input_gradients(self, patterns, targets, *, guided=False):
        return 2 * W[targets] * patterns


class Hinges:
    """score = Σ W_0 relu(x): ReLUs in front of signed weights, which guidance cuts."""

    def input_gradients(self, patterns, targets, *, guided=False):
        back = np.maximum(W[0], 0) if guided else W[0]
        return back * (patterns > 0)


class Stages:
    """Two maps of 2 × 2 and the score Σ (3/4 A_0 - 1/4 A_1), so these are the weights."""

    maps = np.array([[[0.0, 4.0], [8.0, 0.0]], [[0.0, 0.0], [8.0, 16.0]]])

    def feature_maps(self, patterns, targets, *, stage=None):
        if stage not in (None, "late", "early"):
            raise OptionError(f"there is no stage {stage!r}", hint="Stages: early, late.")
        sign = -1 if stage == "early" else 1
        maps = np.broadcast_to(self.maps, (len(patterns), 2, 2, 2))
        gradients = np.broadcast_to(np.array([0.75, -0.25])[:, None, None], maps.shape)
        return maps, sign * gradients


class Mute:
    """A classifier that gives predictions only."""


def test_the_saliency_of_a_linear_score_is_the_absolute_value_of_its_weights():
    maps = Saliency().explain(Linear(), np.stack([X, X]), np.array([0, 1]))
    np.testing.assert_array_equal(maps, [[[2, 1], [0, 4]], [[3, 0.5], [1, 0]]])


def test_plain_saliency_keeps_what_guided_saliency_cuts():
    plain = Saliency().explain(Hinges(), X[None], np.array([0]))
    guided = GuidedSaliency().explain(Hinges(), np.array([[[1.0, 2], [3, 0.5]]]), np.array([0]))
    np.testing.assert_array_equal(plain, [[[2, 0], [0, 4]]])
    np.testing.assert_array_equal(guided, [[[2, 0], [0, 4]]])
    unguided = Saliency().explain(Hinges(), np.array([[[1.0, 2], [3, 0.5]]]), np.array([0]))
    np.testing.assert_array_equal(unguided, [[[2, 1], [0, 4]]])


def test_integrated_gradients_of_a_linear_score_are_weight_times_pixel():
    explainer = IntegratedGradients(baseline="zero", steps=1)
    maps = explainer.explain(Linear(), X[None], np.array([0]))
    np.testing.assert_allclose(maps, [[[2, 2], [0, 2]]])


def test_integrated_gradients_start_from_the_darkest_pixel_unless_told_otherwise():
    maps = IntegratedGradients().explain(Quadratic(), X[None], np.array([0]))
    np.testing.assert_allclose(maps, [[[2 * (1 - 4), 0], [0, 4 * (0.25 - 4)]]])


@pytest.mark.parametrize("baseline", ["blocked", "zero"])
@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_integrated_gradients_sum_to_the_score_gained(baseline, batch_size):
    pattern = np.random.default_rng(3).normal(size=(1, 2, 2))
    empty = np.full_like(pattern, pattern.min() if baseline == "blocked" else 0.0)
    gained = Quadratic().score(pattern, [1]) - Quadratic().score(empty, [1])
    explainer = IntegratedGradients(baseline=baseline, batch_size=batch_size, steps=7)
    maps = explainer.explain(Quadratic(), pattern, np.array([1]))
    np.testing.assert_allclose(maps.sum(), gained[0], rtol=1e-12)


def test_grad_cam_weighs_each_map_by_its_mean_gradient_and_keeps_what_is_positive():
    maps = GradCam().explain(Stages(), np.zeros((1, 2, 2)), np.array([0]))
    np.testing.assert_allclose(maps, [[[0, 3], [4, 0]]])


def test_grad_cam_without_its_relu_shows_what_speaks_against_the_class():
    maps = GradCam(relu=False).explain(Stages(), np.zeros((1, 2, 2)), np.array([0]))
    np.testing.assert_allclose(maps, [[[0, 3], [4, -4]]])


def test_grad_cam_is_resized_between_corners_or_between_pixel_centres():
    corners = GradCam().explain(Stages(), np.zeros((1, 2, 4)), np.array([0]))
    np.testing.assert_allclose(corners, [[[0, 1, 2, 3], [4, 8 / 3, 4 / 3, 0]]])
    centers = GradCam(align="centers").explain(Stages(), np.zeros((1, 2, 4)), np.array([0]))
    np.testing.assert_allclose(centers, [[[0, 0.75, 2.25, 3], [4, 3, 1, 0]]])


def test_between_corners_every_map_value_stands_on_its_own_pixel():
    """Strides of 32 with padding: value i of a 9 × 9 stage looks at pixel 32 i of 257."""
    values = np.random.default_rng(0).normal(size=(1, 9, 9))
    np.testing.assert_allclose(resize(values, 257, 257, "corners")[:, ::32, ::32], values)


def test_a_map_of_one_value_fills_the_pattern():
    for align in ("corners", "centers"):
        np.testing.assert_array_equal(resize(np.full((1, 1, 1), 3.0), 4, 5, align), 3)


def test_grad_cam_shows_the_stage_it_is_asked_for():
    maps = GradCam(stage="early").explain(Stages(), np.zeros((1, 2, 2)), np.array([0]))
    np.testing.assert_allclose(maps, [[[0, 0], [0, 4]]])


def test_an_unknown_stage_is_refused_with_those_there_are():
    with pytest.raises(OptionError, match=r"'conv9'[\s\S]*early, late"):
        GradCam(stage="conv9").explain(Stages(), np.zeros((1, 2, 2)), np.array([0]))


def test_a_classifier_that_cannot_name_stages_is_asked_for_none():
    class LastOnly:
        def feature_maps(self, patterns, targets):
            return Stages().feature_maps(patterns, targets)

    assert GradCam().explain(LastOnly(), np.zeros((1, 2, 2)), np.array([0])).max() == 4
    with pytest.raises(PluginError, match="LastOnly cannot name its stages"):
        GradCam(stage="late").explain(LastOnly(), np.zeros((1, 2, 2)), np.array([0]))


@pytest.mark.parametrize("size", [(2, 3), (7, 5), (33, 32)])
def test_resizing_keeps_a_linear_ramp_away_from_the_border(size):
    """Between pixel centres a plane is its own bilinear interpolation, whatever the sizes."""
    h, w = 4, 5
    ny, nx = size

    def plane(y, x):
        return 2.0 + 3.0 * y[:, None] - 0.7 * x[None, :]

    source = plane((np.arange(h) + 0.5) / h, (np.arange(w) + 0.5) / w)
    y, x = (np.arange(ny) + 0.5) / ny, (np.arange(nx) + 0.5) / nx
    y, x = np.clip(y, 0.5 / h, 1 - 0.5 / h), np.clip(x, 0.5 / w, 1 - 0.5 / w)
    np.testing.assert_allclose(resize(source[None], ny, nx, "centers")[0], plane(y, x), rtol=1e-12)


@pytest.mark.parametrize(
    ("explainer", "name", "method"),
    [
        (Saliency(), "saliency", "input_gradients"),
        (GuidedSaliency(), "guided-saliency", "input_gradients"),
        (IntegratedGradients(), "integrated-gradients", "input_gradients"),
        (GradCam(), "grad-cam", "feature_maps"),
    ],
)
def test_a_classifier_without_the_power_is_refused_with_both_names(explainer, name, method):
    with pytest.raises(PluginError) as caught:
        explainer.explain(Mute(), X[None], np.array([0]))
    assert f"'{name}'" in str(caught.value)
    assert "Mute" in caught.value.what
    assert method in caught.value.hint


@pytest.mark.parametrize("explainer", [Saliency(batch_size=3), GuidedSaliency(batch_size=3)])
def test_many_patterns_are_explained_a_few_at_a_time(explainer):
    classifier = Linear()
    maps = explainer.explain(classifier, np.stack([X] * 7), np.array([0, 1] * 3 + [0]))
    assert classifier.batches == [3, 3, 1]
    np.testing.assert_array_equal(maps[:, 0, 0], [2, 3, 2, 3, 2, 3, 2])


def test_the_way_to_a_pattern_is_walked_a_few_points_at_a_time():
    classifier = Linear()
    IntegratedGradients(steps=5, batch_size=2).explain(classifier, X[None], np.array([0]))
    assert classifier.batches == [2, 2, 1]


@pytest.mark.parametrize("explainer", [Saliency(), IntegratedGradients(), GradCam()])
def test_single_precision_stays_single_precision_and_no_pattern_gives_no_map(explainer):
    class Single(Stages):
        def input_gradients(self, patterns, targets, *, guided=False):
            return W[targets].astype(np.float32)

        def feature_maps(self, patterns, targets, *, stage=None):
            maps, gradients = super().feature_maps(patterns, targets)
            return maps.astype(np.float32), gradients.astype(np.float32)

    patterns = X[None].astype(np.float32)
    assert explainer.explain(Single(), patterns, np.array([0])).dtype == np.float32
    assert explainer.explain(Single(), patterns[:0], np.array([], int)).shape == (0, 2, 2)


def test_one_target_for_each_pattern_is_demanded():
    with pytest.raises(DataError, match="are not"):
        Saliency().explain(Linear(), np.stack([X, X]), np.array([0]))


def test_an_answer_of_the_wrong_shape_is_the_classifier_s_fault_and_says_so():
    class Channels(Linear):
        def input_gradients(self, patterns, targets, *, guided=False):
            return np.zeros((len(patterns), 3, 2, 2))

    with pytest.raises(PluginError, match=r"Channels[\s\S]*\(1, 3, 2, 2\)"):
        Saliency().explain(Channels(), X[None], np.array([0]))


def test_options_below_one_are_refused():
    with pytest.raises(OptionError, match="batch_size"):
        Saliency(batch_size=0)
    with pytest.raises(OptionError, match="steps"):
        IntegratedGradients(steps=0)

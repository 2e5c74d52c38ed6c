"""The explainers against captum, on one convolutional network in torch."""

import numpy as np
import pytest

from speckle_explain.grad_cam import resize

pytestmark = [
    pytest.mark.framework,
    # captum says what it does to inputs and activations, and undoes it.
    pytest.mark.filterwarnings("ignore:Input Tensor 0 did not already require gradients"),
    pytest.mark.filterwarnings("ignore:Setting backward hooks on ReLU activations"),
]


@pytest.fixture(scope="module")
def maps():
    pytest.importorskip("torch")
    pytest.importorskip("captum")
    from tests.plugins.speckle_explain.captum_maps import maps

    return maps()


@pytest.mark.parametrize("name", ["saliency", "guided", "cam", "integrated", "occlusion"])
def test_the_map_is_captum_s(maps, name):
    expected = maps[f"captum_{name}"]
    assert np.ptp(expected, axis=(1, 2)).max() > 1e-3
    # captum keeps the points of the way, and losses, in single precision.
    np.testing.assert_allclose(maps[f"ours_{name}"], expected, atol=1e-9)


def test_integrated_gradients_of_a_relu_network_sum_to_the_score_gained(maps):
    """A ReLU's derivative jumps, so the quadrature is of first order: finer is nearer."""
    off = {
        name: np.abs(maps[f"ours_{name}"].sum(axis=(1, 2)) - maps["gain"]).max()
        for name in ("integrated", "fine")
    }
    assert off["integrated"] < 0.05 * np.ptp(maps["gain"])
    assert off["fine"] < 0.002 * np.ptp(maps["gain"])


@pytest.mark.parametrize("align", ["centers", "corners"])
def test_resizing_is_torch_s_bilinear_up_and_down(maps, align):
    found = resize(maps["patterns"], 40, 9, align)
    np.testing.assert_allclose(found, maps[f"captum_{align}"], atol=1e-12)

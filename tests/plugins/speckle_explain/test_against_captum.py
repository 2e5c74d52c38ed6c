"""The explainers against captum, on one convolutional network in torch."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from speckle_explain.grad_cam import resize


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    for needed in ("torch", "captum"):
        if importlib.util.find_spec(needed) is None:
            pytest.skip(f"{needed} is not installed")
    path = tmp_path_factory.mktemp("captum") / "maps.npz"
    script = Path(__file__).with_name("captum_maps.py")
    done = subprocess.run([sys.executable, script, path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with np.load(path) as arrays:
        return dict(arrays)


@pytest.mark.parametrize("name", ["saliency", "guided", "cam", "integrated"])
def test_the_map_is_captum_s(maps, name):
    expected = maps[f"captum_{name}"]
    assert np.ptp(expected, axis=(1, 2)).max() > 1e-3
    # captum keeps the points of the way in single precision.
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

import numpy as np
import pytest
from scipy import ndimage

from speckle_specklenet.centre import EXACT, asymmetry, offset, symmetric
from speckle_specklenet.evidence import Evidence
from speckle_specklenet.leastsquares import Model, significance
from speckle_specklenet.plane import Half, Plane
from speckle_specklenet.refinement import Refinement

OFF = np.array([0.7, -1.2])


@pytest.fixture(scope="module")
def counted(pipeline):
    """Half a million photons of three disks, k = 0 off the middle, the centre blocked."""
    drawn = pipeline.draw(3, 1, 7)
    intensity = ndimage.shift(pipeline.simulate([drawn])[0], OFF, order=3, mode="nearest")
    mean = np.maximum(intensity, 0) / intensity.sum() * 5e5
    counts = np.random.default_rng(0).poisson(mean).astype(np.float32)
    counts[59:70, 59:70] = 0
    return counts, drawn


def test_the_offset_of_k_0_is_found_in_counts(counted):
    np.testing.assert_allclose(offset(counted[0], 6), OFF, atol=0.25)


def test_a_small_pattern_has_no_offset():
    assert not offset(np.ones((9, 9), dtype=np.float32), 2).any()


def test_k_and_minus_k_are_made_equal_and_what_is_left_is_noise(counted):
    mean, difference, rim = symmetric(counted[0], 6)
    assert asymmetry(mean) < EXACT < asymmetry(counted[0])
    assert rim == 3
    # Of counts N the mean of two has the variance N / 2.
    ring = np.abs(np.hypot(*np.mgrid[-64:65, -64:65]) - 25) < 3
    noise = (difference[ring] ** 2).mean() / (mean[ring].mean() / 2)
    assert 0.7 < noise < 4


def test_disks_of_a_counted_pattern_are_found(counted):
    evidence = Evidence(129, 8)
    assert evidence(counted[0][None])[0, -27:-18].argmax() == 3


def test_a_disk_that_is_not_there_is_not_sure(counted, pipeline):
    half = Half.of(Plane.of(129), counted[0])
    body, step = counted[1].particles[0], pipeline.grid.step
    places = np.concatenate([body.centers[:, ::-1] * step, [[0.2, 0.1]]]).astype(np.float32)
    radii = np.append(body.bounding_radii * step, 0.006).astype(np.float32)
    refinement = Refinement(half, 8)
    model = refinement.stage(Model(places, radii), 3)
    sure = significance(model, refinement.points(3))
    assert sure[:3].min() > 10
    assert sure[3] < 4.5

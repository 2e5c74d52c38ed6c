import numpy as np
import pytest
from scipy import ndimage

from speckle_specklenet.centre import (
    EXACT,
    Pairs,
    asymmetry,
    completed,
    counted_pixels,
    offset,
    symmetric,
)
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
    known = counted_pixels(counted[0], 6)
    np.testing.assert_allclose(offset(counted[0], known), OFF, atol=0.25)


def test_the_offset_of_fringes_is_found_by_their_envelope():
    """Moved by a fringe, or along them, those of two disks fit themselves as well."""
    y, x = np.mgrid[-64:65, -64:65]
    fringes = (
        np.exp(-((y - OFF[0]) ** 2 + (x - OFF[1]) ** 2) / 600) * np.cos((x - OFF[1]) * 0.4) ** 2
    )
    counts = np.random.default_rng(0).poisson(100 * fringes).astype(np.float32)
    found = offset(counts, counted_pixels(counts, 0))
    np.testing.assert_allclose(found, OFF, atol=0.2)


def test_a_small_pattern_has_no_offset():
    pattern = np.ones((9, 9), dtype=np.float32)
    assert not offset(pattern, counted_pixels(pattern, 2)).any()


def test_a_gap_that_was_filled_from_minus_k_is_seen():
    counts = np.random.default_rng(0).poisson(30, (65, 65)).astype(np.float32)
    gap = np.zeros((65, 65), dtype=bool)
    gap[10:13], gap[:, 50:53] = True, True
    free = ~gap[::-1, ::-1]
    counts[gap & free] = counts[::-1, ::-1][gap & free]
    found = completed(counts)
    assert found[gap & free].mean() > 0.95
    assert found[~(gap | gap[::-1, ::-1])].mean() < 0.02


def test_pairs_are_as_they_were_counted(counted):
    pattern, known = counted[0], counted_pixels(counted[0], 6)
    pairs = Pairs.of(pattern, OFF, known)
    # k = 0 at (0.7, -1.2) is nearest to (0.5, -1): rows y and 1 - y are about it.
    np.testing.assert_array_equal(pairs.shift, [0.5, -1])
    assert pairs.mean[20, 30] == (pattern[84, 30] + pattern[64 + 1 - 20, 128 - 2 - 30]) / 2
    assert pairs.known[20, 30] == 1
    assert not pairs.known[:5, 60:69].any()
    # The other of a pixel in the last column is beyond the first.
    assert not pairs.known[:, -1].any()


def test_the_variance_of_pairs_is_half_of_their_counts(counted):
    half = Half.of(Plane.of(129), counted[0])
    expected = half.profile / counted[0][64:].mean() / 2
    ratio = half.variance[15:60] / expected[15:60]
    assert ratio.mean() == pytest.approx(1, abs=0.1)


def test_a_pattern_about_its_own_centre_is_symmetric(counted):
    mean, rim = symmetric(counted[0], OFF)
    assert asymmetry(mean) < EXACT < asymmetry(counted[0])
    assert rim == 3


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

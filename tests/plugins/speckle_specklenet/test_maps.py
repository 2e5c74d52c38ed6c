import numpy as np
import pytest
from scipy import ndimage

from speckle_core import PatternError, Pipeline, create
from speckle_specklenet.maps import max3, sharp, weighted
from speckle_specklenet.plane import Half, Plane
from speckle_specklenet.superposition import separate

PLANE = Plane.of(129)


def half_of(pipeline, n, number):
    configuration = pipeline.draw(n, number, 7)
    raw = pipeline.simulate([configuration])[0].astype(np.float32)
    return Half.of(PLANE, raw), configuration


def direct(half, weight, vector):
    """Return Σ weight(k) I(k) cos(k·r) over one half of k space, for r in 1 / k step."""
    y, x = np.mgrid[0:65, -64:65]
    wave = np.cos(y * vector[0] + x * vector[1])
    return float((weight * half.intensity * wave)[PLANE.once > 0].sum(dtype=np.float64))


@pytest.mark.parametrize("number", range(3))
def test_the_highest_peak_is_the_vector_between_two_disks(pipeline, number):
    half, configuration = half_of(pipeline, 2, number)
    map_ = weighted(half)
    heights, vectors = map_.peaks(3, half.radius / map_.pixel)
    centers = configuration.particles[0].centers
    true = (centers[1] - centers[0])[::-1] * pipeline.grid.step / map_.pixel
    assert min(np.abs(vectors[0] - true).max(), np.abs(vectors[0] + true).max()) < 1.5
    assert heights[0] > 0.1


def test_a_map_is_the_cosine_sum_over_half_of_k_space(pipeline):
    half, _ = half_of(pipeline, 4, 0)
    map_ = weighted(half)
    distance = PLANE.distance.astype(float)
    band = PLANE.band(3.5 * 0.96 * half.half_distance)
    weight = distance**2 * np.exp(-(distance**2) / (2 * (0.96 * half.half_distance) ** 2))
    weight[PLANE.square > band] = 0
    for y, x in ((0, 0), (5, 9), (-11, 3), (20, -40)):
        expected = direct(half, weight, (y * map_.pixel, x * map_.pixel))
        expected /= direct(half, weight, (0, 0))
        assert map_.values[y + map_.middle, x + map_.middle] == pytest.approx(expected, abs=1e-4)


def test_equal_disks_have_peaks_of_one_nth_in_the_sharp_map(pipeline):
    equal = Pipeline(
        sampler=create("sampler", "monodisperse", radius=90.0),
        scatterer="analytic",
        grid=pipeline.grid,
    )
    half, _ = half_of(equal, 3, 0)
    assert half.alike
    assert half.radius / equal.grid.step == pytest.approx(90, rel=0.02)
    map_ = sharp(half)
    heights, _ = map_.peaks(4, half.radius / map_.pixel)
    assert heights[:3] == pytest.approx(1 / 3, abs=0.08)
    assert heights[3] < 0.1


def test_disks_of_many_sizes_are_not_alike(pipeline):
    assert not half_of(pipeline, 5, 0)[0].alike


@pytest.mark.parametrize("made", [weighted, sharp])
def test_maps_are_one_at_the_origin_and_the_same_at_r_and_minus_r(pipeline, made):
    map_ = made(half_of(pipeline, 4, 0)[0])
    np.testing.assert_array_equal(map_.values, map_.values[::-1, ::-1])
    assert map_.values[map_.middle, map_.middle] == pytest.approx(1)


def test_unit_and_offset_of_the_intensity_do_not_matter(pipeline):
    raw = pipeline.simulate([pipeline.draw(3, 0, 7)])[0]
    raw[59:70, 59:70] = 0
    expected = Half.of(PLANE, raw.astype(np.float32))
    found = Half.of(PLANE, (raw / raw.std() - 3).astype(np.float32))
    np.testing.assert_allclose(found.intensity, expected.intensity, rtol=1e-4, atol=1e-5)


def test_the_profile_is_the_mean_of_each_ring(pipeline):
    half, _ = half_of(pipeline, 3, 1)
    y, x = np.mgrid[0:65, -64:65]
    # One half of k space: ky > 0, or kx > 0 on the axis.
    ring = np.where((y > 0) | (x > 0), np.rint(np.hypot(y, x)), -1)
    for number in (1, 10, 64):
        expected = half.intensity[ring == number].mean()
        assert half.profile[number] == pytest.approx(expected, rel=1e-5)


def test_the_square_about_k_0_without_intensity_is_unknown(pipeline):
    raw = pipeline.simulate([pipeline.draw(3, 0, 7)])[0].astype(np.float32)
    raw[59:70, 59:70] = 0
    raw[20, 20] = 0
    known = Half.of(PLANE, raw).known
    assert not known[:6, 59:70].any()
    assert known[6, 59:70].all()
    assert known[1:6, 70].all()


def test_a_larger_pattern_is_cropped_and_a_smaller_or_constant_one_refused(pipeline):
    raw = pipeline.simulate([pipeline.draw(3, 0, 7)])[0].astype(np.float32)
    wide = np.pad(raw, 4, constant_values=raw.min())
    np.testing.assert_allclose(Half.of(PLANE, wide).intensity, Half.of(PLANE, raw).intensity)
    with pytest.raises(PatternError, match="129 × 129"):
        Half.of(PLANE, raw[1:-1, 1:-1])
    with pytest.raises(PatternError, match="same value everywhere"):
        Half.of(PLANE, np.ones((129, 129), dtype=np.float32))


def test_max3_is_the_maximum_of_nine_neighbours():
    values = np.random.default_rng(0).normal(size=(7, 9)).astype(np.float32)
    np.testing.assert_array_equal(max3(values), ndimage.maximum_filter(values, 3))


def test_of_two_near_peaks_the_higher_is_kept():
    map_ = np.zeros((30, 30), dtype=np.float32)
    map_[5, 5], map_[5, 9], map_[20, 20] = 1.0, 2.0, 0.5
    found = separate(map_, 4, 5.0)
    assert found[:2].tolist() == [[2.0, 5, 9], [0.5, 20, 20]]

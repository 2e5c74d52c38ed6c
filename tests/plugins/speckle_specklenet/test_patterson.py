import numpy as np
import pytest
import torch

from speckle_core import PatternError
from speckle_specklenet.patterson import Patterson, max3
from speckle_specklenet.superposition import peaks, separate

PATTERSON = Patterson(129)


def tensor(patterns):
    return torch.from_numpy(np.asarray(patterns, dtype=np.float32))


def described(pipeline, configurations):
    raw = tensor(pipeline.simulate(configurations))
    intensity = PATTERSON.intensity(raw)
    return intensity, PATTERSON.profile(intensity)


def test_the_highest_peak_is_the_vector_between_two_disks(pipeline):
    drawn = [pipeline.draw(2, number, 7) for number in range(4)]
    intensity, profile = described(pipeline, drawn)
    half = PATTERSON.half_distance(profile)
    maps = PATTERSON.weighted(intensity, half)
    heights, vectors = peaks(maps, 3, PATTERSON.radius(half))
    for vector, height, configuration in zip(vectors[:, 0], heights[:, 0], drawn, strict=True):
        centers = configuration.particles[0].centers
        true = (centers[1] - centers[0])[::-1] * pipeline.grid.step / PATTERSON.pixel
        found = vector.numpy()
        assert min(np.abs(found - true).max(), np.abs(found + true).max()) < 1.5
        assert height > 0.1


def test_maps_are_one_at_the_origin_and_the_same_at_r_and_minus_r(pipeline):
    intensity, profile = described(pipeline, [pipeline.draw(4, 0, 7)])
    for maps in (
        PATTERSON.weighted(intensity, PATTERSON.half_distance(profile)),
        PATTERSON.sharp(intensity, profile),
    ):
        torch.testing.assert_close(maps, maps.flip(1, 2))
        assert maps[0, PATTERSON.middle, PATTERSON.middle] == pytest.approx(1)


def test_unit_and_offset_of_the_intensity_do_not_matter(pipeline):
    raw = tensor(pipeline.simulate([pipeline.draw(3, 0, 7)]))
    raw[:, 59:70, 59:70] = 0
    expected = PATTERSON.intensity(raw)
    torch.testing.assert_close(
        PATTERSON.intensity(raw / raw.std() - 3), expected, rtol=1e-4, atol=1e-5
    )


def test_the_profile_is_the_mean_of_each_ring(pipeline):
    intensity, profile = described(pipeline, [pipeline.draw(3, 1, 7)])
    half = intensity[0].numpy()
    y, x = np.mgrid[0:65, -64:65]
    # One half of k space: ky > 0, or kx > 0 on the axis.
    ring = np.where((y > 0) | (x > 0), np.rint(np.hypot(y, x)), -1)
    for number in (1, 10, 64):
        assert profile[0, number].item() == pytest.approx(half[ring == number].mean(), rel=1e-5)


def test_the_square_about_k_0_without_intensity_is_unknown(pipeline):
    raw = tensor(pipeline.simulate([pipeline.draw(3, 0, 7)]))
    raw[:, 59:70, 59:70] = 0
    raw[:, 20, 20] = 0
    known = PATTERSON.known(PATTERSON.intensity(raw))[0]
    assert not known[:6, 59:70].any()
    assert known[6, 59:70].all()
    assert known[1:6, 70].all()


def test_a_larger_pattern_is_cropped_and_a_smaller_or_constant_one_refused(pipeline):
    raw = tensor(pipeline.simulate([pipeline.draw(3, 0, 7)]))
    wide = torch.nn.functional.pad(raw, (4, 4, 4, 4), value=float(raw.min()))
    torch.testing.assert_close(PATTERSON.intensity(wide), PATTERSON.intensity(raw))
    with pytest.raises(PatternError, match="129 × 129"):
        PATTERSON.intensity(raw[:, 1:-1, 1:-1])
    with pytest.raises(PatternError, match="same value everywhere"):
        PATTERSON.intensity(torch.ones(1, 129, 129))


def test_max3_is_the_maximum_of_nine_neighbours():
    values = torch.randn(2, 7, 9, generator=torch.Generator().manual_seed(0))
    expected = torch.nn.functional.max_pool2d(values[:, None], 3, 1, 1)[:, 0]
    torch.testing.assert_close(max3(values), expected)


def test_of_two_near_peaks_the_higher_is_kept():
    maps = torch.zeros(1, 30, 30)
    maps[0, 5, 5], maps[0, 5, 9], maps[0, 20, 20] = 1.0, 2.0, 0.5
    heights, places = separate(maps, 4, torch.tensor([5.0]))
    assert heights[0, :2].tolist() == [2.0, 0.5]
    assert places[0, :2].tolist() == [[5, 9], [20, 20]]

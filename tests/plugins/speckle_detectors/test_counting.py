"""The counting detector against the closed forms of photon counting."""

from __future__ import annotations

import numpy as np
import pytest

from speckle_core import KGrid, OptionError, PatternError, create

GRID = KGrid.centered(101, np.pi / 2000)
EVEN = np.full(GRID.shape, 3.0)


def record(intensity=EVEN, grid=GRID, seed=0, **options):
    detector = create("detector", "counting", **options)
    return detector.record(intensity, grid, np.random.default_rng(seed))


def lobe(center=(0.0, 0.0)):
    y, x = GRID.indices[:, None] - center[0], GRID.indices - center[1]
    return np.exp(-(y**2 + x**2) / (2 * 8.0**2))


def test_mean_and_variance_of_the_photons_are_equal() -> None:
    counts, mask = record(photons=50.0 * EVEN.size)
    assert mask.all()
    assert (counts == np.rint(counts)).all()
    # Of 10201 numbers: standard errors of 0.07 and of 0.7.
    assert counts.mean() == pytest.approx(50, abs=0.3)
    assert counts.var() == pytest.approx(50, abs=3)


def test_without_a_number_of_photons_the_flux_counts() -> None:
    assert record(photons=None, flux=10.0)[0].mean() == pytest.approx(30, abs=0.25)


def test_between_two_numbers_of_photons_each_pattern_draws_its_own() -> None:
    low, high = 1e4, 1e6
    found = [record(photons=(low, high), seed=seed)[0].sum() for seed in range(200)]
    shares = np.log(np.array(found) / low) / np.log(high / low)
    # Even from 0 to 1: a mean of 1/2 and a deviation of 1/√12, with their errors.
    assert shares.mean() == pytest.approx(0.5, abs=3 * 0.289 / np.sqrt(200))
    assert shares.std() == pytest.approx(0.289, abs=0.04)
    assert -0.01 < shares.min() < 0.05 < 0.95 < shares.max() < 1.01
    assert np.array_equal(record(photons=(low, high), seed=3)[0].sum(), found[3])


def test_variances_of_light_dark_and_readout_add_and_gain_multiplies() -> None:
    counts, _ = record(photons=20.0 * EVEN.size, dark=5.0, readout=3.0, gain=2.5)
    assert counts.mean() == pytest.approx(2.5 * 25, abs=0.6)
    assert counts.var() == pytest.approx(2.5**2 * (20 + 5 + 3**2), rel=0.06)


def test_many_exposures_approach_the_intensity() -> None:
    intensity = lobe()
    rng = np.random.default_rng(3)
    detector = create("detector", "counting", photons=1e6, gain=2.0, readout=1.0)
    mean = np.mean([detector.record(intensity, GRID, rng)[0] for _ in range(200)], axis=0)
    expected = intensity * (1e6 / intensity.sum())
    error = 2 * np.sqrt((expected + 1) / 200)
    assert np.sqrt(np.mean(((mean - 2 * expected) / error) ** 2)) == pytest.approx(1, abs=0.05)


def test_saturation_clips_and_nothing_else() -> None:
    free, _ = record(photons=50.0 * EVEN.size)
    clipped, _ = record(photons=50.0 * EVEN.size, saturation=55.0)
    assert (free > 55).any()
    assert np.array_equal(clipped, np.minimum(free, 55))


def test_hot_and_dead_pixels_are_the_same_in_every_exposure() -> None:
    options = {"photons": 50.0 * EVEN.size, "saturation": 1000.0, "hot": 0.01, "dead": 0.02}
    (first, mask), (second, other) = (record(seed=s, **options) for s in (1, 2))
    assert not np.array_equal(first, second)
    assert np.array_equal(mask, other)
    assert np.array_equal(first == 1000, second == 1000)
    assert np.mean(first == 1000) == pytest.approx(0.01, abs=1e-4)
    assert np.mean(first == 0) == pytest.approx(0.02, abs=1e-4)
    assert np.array_equal(mask, (first != 1000) & (first != 0))
    assert record(defects_masked=False, **options)[1].all()
    assert not np.array_equal(record(defects_seed=5, **options)[1], mask)


@pytest.mark.parametrize("layout", ["cross", "modules"])
@pytest.mark.parametrize("size", [129, 257])
def test_gaps_cover_their_share_and_are_seen_at_minus_k(layout: str, size: int) -> None:
    grid = KGrid.centered(size, 0.001)
    _, mask = record(np.ones(grid.shape), grid, gaps=layout)
    # Half a pixel of width for each gap along each axis.
    bands = 1 if layout == "cross" else 2
    assert np.mean(~mask) == pytest.approx(0.05, abs=bands / size)
    assert np.mean(mask | mask[::-1, ::-1]) > 0.99


def test_the_beamstop_is_a_disk_with_an_arm() -> None:
    _, mask = record(beamstop=10.0)
    assert np.sum(~mask) == pytest.approx(np.pi * 10**2, rel=0.03)
    assert np.array_equal(mask, mask[::-1, ::-1])
    _, with_arm = record(beamstop=10.0, arm=4.0)
    arm = mask & ~with_arm
    assert arm.sum() == 3 * 41
    assert not arm[:60].any()


def centroid(pattern):
    return np.array([np.sum(pattern * GRID.indices[:, None]), np.sum(pattern * GRID.indices)]) / (
        pattern.sum()
    )


def test_the_centre_moves_from_exposure_to_exposure_by_the_jitter() -> None:
    rng = np.random.default_rng(0)
    detector = create("detector", "counting", photons=1e7, jitter=1.5)
    found = np.array([centroid(detector.record(lobe(), GRID, rng)[0]) for _ in range(150)])
    # A standard deviation of 300 numbers has a standard error of 4 %.
    assert found.std() == pytest.approx(1.5, rel=0.15)
    assert abs(found.mean()) < 0.3


def test_the_point_spread_adds_its_variance() -> None:
    counts, _ = record(lobe(), photons=1e8, point_spread=3.0)
    width = np.sum(counts * GRID.indices**2) / counts.sum()
    assert width == pytest.approx(8.0**2 + 3.0**2, rel=0.01)


def test_an_empty_intensity_gives_no_photons() -> None:
    assert not record(np.zeros(GRID.shape))[0].any()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("photons", 0.0),
        ("photons", (1e6, 1e4)),
        ("photons", (1e4,)),
        ("dark", -1.0),
        ("gain", 0.0),
        ("hot", 0.6),
        ("defects_seed", -1),
    ],
)
def test_an_impossible_option_is_refused_by_name(option: str, value: float) -> None:
    with pytest.raises(OptionError, match="must be") as error:
        create("detector", "counting", **{option: value})
    assert option in error.value.where


def test_more_photons_than_can_be_drawn_are_refused() -> None:
    with pytest.raises(PatternError, match="photons, more than"):
        record(photons=1e20)


def test_ideal_changes_nothing() -> None:
    counts, mask = create("detector", "ideal").record(lobe(), GRID, np.random.default_rng(0))
    assert np.array_equal(counts, lobe())
    assert mask.all()


def test_over_a_bandwidth_rings_fade_as_their_order_rises() -> None:
    # The mean of cos(q k (1 - ε)) over a Gaussian ε of width b is cos(q k) exp(-(q k b)²/2).
    distance = np.hypot(GRID.indices[:, None], GRID.indices)
    bandwidth, wave = 0.02, 0.6
    counts, _ = record(2 + np.cos(wave * distance), photons=1e13, bandwidth=bandwidth)
    found = counts / counts.mean() * 2
    expected = 2 + np.cos(wave * distance) * np.exp(-((wave * distance * bandwidth) ** 2) / 2)
    inside = distance < 44
    assert np.abs(found - expected)[inside].max() < 0.03
    assert np.abs(found - 2 - np.cos(wave * distance))[inside].max() > 0.1


def test_a_narrow_bandwidth_changes_nothing_near_the_centre() -> None:
    plain, _ = record(lobe(), photons=1e14)
    narrow, _ = record(lobe(), photons=1e14, bandwidth=1e-4)
    assert np.abs(plain - narrow).max() < 1e-4 * plain.max()


def test_the_mask_of_a_real_frame_is_laid_on_the_grid(tmp_path) -> None:
    bad = np.zeros((120, 140), np.uint8)
    bad[60:64], bad[:, 30] = 1, 2
    path = tmp_path / "mask.npy"
    np.save(path, bad)
    _, mask = record(mask=str(path), mask_center=(55.0, 60.0))
    rows, columns = GRID.indices + 55, GRID.indices + 60
    assert np.array_equal(mask, bad[np.ix_(rows, columns)] == 0)
    _, mask = record(mask=str(path), mask_center=(20.0, 60.0))
    assert not mask[: 50 - 20].any()
    square = tmp_path / "square.npy"
    np.save(square, bad[:101, :101])
    assert np.array_equal(record(mask=str(square))[1], bad[:101, :101] == 0)


def test_a_mask_file_that_is_another_one_or_gone_is_refused(tmp_path) -> None:
    np.save(tmp_path / "mask.npy", np.zeros(GRID.shape))
    with pytest.raises(OptionError, match="its SHA-256 differs"):
        record(mask=str(tmp_path / "mask.npy"), mask_sha256="0" * 64)
    with pytest.raises(OptionError, match="file not found"):
        record(mask=str(tmp_path / "none.npy"))

"""`fft` and `analytic` against the authors' transform: raster, zeros around it, FFT, the middle.

The port of it in examples/paper/ uses nothing of the framework.
"""

import numpy as np
import pytest

from speckle_core import Configuration, KGrid, OptionError
from speckle_disks.disks import Disks
from speckle_disks.samplers import Monodisperse, Polydisperse
from speckle_scatter.analytic import Analytic
from speckle_scatter.raster import Fft


def step(pixels, padding):
    return 2 * np.pi / (pixels + 2 * padding)


def assert_same_pixels(pattern, expected):
    np.testing.assert_allclose(pattern, expected, rtol=1e-6, atol=1e-12 * expected.max())


@pytest.mark.parametrize(("radius", "points"), [(1, 5), (2, 13), (5, 81), (10, 317)])
def test_a_pixel_whose_place_is_just_a_radius_away_belongs_to_the_disk(authors, radius, points):
    """Gauss's circle problem counts the points, OEIS A000328."""
    raster = authors.raster([[30, 20]], [radius], 51)
    assert raster.sum() == points
    disks = Configuration(Disks([[30.0, 20.0]], [float(radius)]), 50.0)
    pattern = Fft(pixels=51).intensity(disks, KGrid.centered(3, step(51, 5)))
    assert pattern[1, 1] == pytest.approx(points**2, rel=1e-12)


def test_two_disks_beside_one_another_give_stripes_along_x(authors):
    """Young's slits: dark where half a wave fits between them, along the last axis alone."""
    d, padding, size = 40, 420, 65
    pattern = authors.pattern(
        authors.raster([[80, 100], [80 + d, 100]], [9, 9], 201), padding, size
    )
    dark = (201 + 2 * padding) / (2 * d)  # pixels from the middle, 13.01
    along_x, along_y = pattern[size // 2, size // 2 :], pattern[size // 2 :, size // 2]
    assert np.argmin(along_x[:20]) == round(dark)
    assert along_x[round(dark)] < 1e-4 * along_x[0]
    assert along_y.min() > 0.1 * along_y[0]
    ours = Fft(pixels=201).intensity(
        Configuration(Disks([[80.0, 100.0], [80.0 + d, 100.0]], [9.0, 9.0]), 200.0),
        KGrid.centered(size, step(201, padding)),
    )
    assert_same_pixels(ours, pattern)


@pytest.mark.parametrize("count", [2, 10, 20])
@pytest.mark.parametrize(
    "sampler", [Monodisperse(exclusion="reference"), Polydisperse(exclusion="reference")]
)
def test_fft_and_analytic_are_the_authors_transform_of_the_papers_systems(authors, sampler, count):
    padding = 500
    configuration = sampler.sample(count, np.random.default_rng(count))
    (disks,) = configuration.particles
    raster = authors.raster(disks.centers, disks.radii)
    expected = authors.pattern(raster, padding, 257)
    grid = KGrid.centered(257, step(authors.PIXELS, padding))
    assert_same_pixels(Fft().intensity(configuration, grid), expected)
    exact = Analytic().intensity(configuration, grid)
    assert np.linalg.norm(exact - expected) <= 5e-3 * np.linalg.norm(expected)


def test_fft_weighs_the_raster_with_complex_contrast(authors):
    padding, size = 350, 129
    contrast = np.array([1.0, 2.0 - 0.5j])
    disks = Disks([[60.0, 80.0], [150.0, 90.5]], [20.0, 31.0], contrast)
    raster = sum(
        c * authors.raster(disks.centers[[i]], disks.radii[[i]], 201)
        for i, c in enumerate(contrast)
    )
    grid = KGrid.centered(size, step(201, padding))
    pattern = Fft(pixels=201).intensity(Configuration(disks, 200.0), grid)
    assert_same_pixels(pattern, authors.pattern(raster, padding, size))


def test_fft_cuts_what_lies_outside_the_box(authors):
    padding, size = 350, 65
    disks = Disks([[5.0, 198.0], [100.0, 100.0], [500.0, 500.0]], [30.0, 20.0, 40.0])
    raster = authors.raster(disks.centers, disks.radii, 201)
    grid = KGrid.centered(size, step(201, padding))
    pattern = Fft(pixels=201).intensity(Configuration(disks, 200.0), grid)
    assert_same_pixels(pattern, authors.pattern(raster, padding, size))


def test_a_finer_raster_comes_closer_to_the_exact_sum():
    configuration = Monodisperse().sample(10, np.random.default_rng(3))
    grid = KGrid.centered(65, np.pi / 1000)
    expected = Analytic().intensity(configuration, grid)
    coarse, fine = (
        np.linalg.norm(Fft(pixels=p).intensity(configuration, grid) - expected)
        / np.linalg.norm(expected)
        for p in (501, 8001)
    )
    assert fine < 5e-4 < coarse


@pytest.mark.parametrize("pixels", [1, 0, -5])
def test_a_raster_without_a_side_is_refused(pixels):
    with pytest.raises(OptionError, match="pixels"):
        Fft(pixels=pixels)

"""`fft` against a real zero-padded transform of a raster drawn by the authors' rule."""

import numpy as np
import pytest
import scipy.fft

from speckle_core import Configuration, KGrid, OptionError
from speckle_disks.disks import Disks
from speckle_disks.samplers import Monodisperse, Polydisperse
from speckle_scatter.analytic import Analytic
from speckle_scatter.raster import Fft


def drawn_by_the_authors_rule(disks, pixels):
    """1 where r <= R, pixel by pixel over the whole raster, rows along y."""
    y, x = np.mgrid[:pixels, :pixels].astype(float)
    raster = np.zeros((pixels, pixels))
    for (cx, cy), radius in zip(disks.centers, disks.radii, strict=True):
        raster[np.sqrt((x - cx) ** 2 + (y - cy) ** 2) <= radius] = 1
    return raster


def padded(raster, whole, size):
    """Intensity of the raster padded with zeros to `whole`, the `size` pixels about k = 0."""
    spectrum = scipy.fft.fftshift(np.abs(scipy.fft.fft2(raster, (whole, whole))) ** 2)
    start = whole // 2 - size // 2
    return spectrum[start : start + size, start : start + size]


@pytest.mark.parametrize("count", [2, 20])
@pytest.mark.parametrize(
    "sampler", [Monodisperse(box=400.0, radius=18.0), Polydisperse(box=400.0, total_area=2e4)]
)
def test_fft_is_the_padded_transform_of_the_same_raster(count, sampler):
    whole, size = 1801, 257
    configuration = sampler.sample(count, np.random.default_rng(count))
    raster = drawn_by_the_authors_rule(configuration.particles[0], 401)
    grid = KGrid.centered(size, 2 * np.pi / whole)
    pattern = Fft(pixels=401).intensity(configuration, grid)
    expected = padded(raster, whole, size)
    np.testing.assert_allclose(pattern, expected, rtol=1e-6, atol=1e-12 * expected.max())


def test_fft_is_the_transform_of_the_papers_raster():
    whole, size = 2001, 129
    configuration = Monodisperse().sample(5, np.random.default_rng(0))
    raster = drawn_by_the_authors_rule(configuration.particles[0], 2001)
    pattern = Fft().intensity(configuration, KGrid.centered(size, 2 * np.pi / whole))
    expected = padded(raster, whole, size)
    np.testing.assert_allclose(pattern, expected, rtol=1e-6, atol=1e-12 * expected.max())


def test_fft_weighs_the_raster_with_complex_contrast():
    whole, size = 901, 129
    contrast = np.array([1.0, 2.0 - 0.5j])
    disks = Disks([[60.0, 80.0], [150.0, 90.5]], [20.0, 31.0], contrast)
    raster = sum(
        c * drawn_by_the_authors_rule(Disks(disks.centers[[i]], disks.radii[[i]]), 201)
        for i, c in enumerate(contrast)
    )
    grid = KGrid.centered(size, 2 * np.pi / whole)
    pattern = Fft(pixels=201).intensity(Configuration(disks, 200.0), grid)
    expected = padded(raster, whole, size)
    np.testing.assert_allclose(pattern, expected, rtol=1e-6, atol=1e-12 * expected.max())


def test_fft_cuts_what_lies_outside_the_box():
    whole, size = 901, 65
    disks = Disks([[5.0, 198.0], [100.0, 100.0], [500.0, 500.0]], [30.0, 20.0, 40.0])
    raster = drawn_by_the_authors_rule(disks, 201)
    grid = KGrid.centered(size, 2 * np.pi / whole)
    pattern = Fft(pixels=201).intensity(Configuration(disks, 200.0), grid)
    expected = padded(raster, whole, size)
    np.testing.assert_allclose(pattern, expected, rtol=1e-6, atol=1e-12 * expected.max())


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

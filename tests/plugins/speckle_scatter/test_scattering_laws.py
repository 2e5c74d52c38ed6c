"""The laws every pattern obeys: symmetries, invariances, and what lies at k = 0."""

import attrs
import numpy as np
import pytest

from speckle_core import Configuration, KGrid
from speckle_disks.disks import Disks
from speckle_disks.samplers import Monodisperse, Polydisperse
from speckle_scatter.analytic import Analytic
from speckle_scatter.raster import Fft

BOTH = pytest.mark.parametrize("scatterer", [Analytic(), Fft()], ids=["analytic", "fft"])


def draw(count, seed=0, sampler=None):
    return (sampler or Monodisperse()).sample(count, np.random.default_rng(seed))


def with_contrast(configuration, contrast):
    return Configuration(
        tuple(attrs.evolve(p, contrast=contrast) for p in configuration.particles),
        configuration.box,
    )


def moved(configuration, by):
    return Configuration(
        tuple(attrs.evolve(p, centers=p.centers + by) for p in configuration.particles),
        configuration.box,
    )


def relative_error(pattern, expected):
    return np.linalg.norm(pattern - expected) / np.linalg.norm(expected)


@BOTH
def test_kx_runs_along_the_last_axis(scatterer):
    # Young's fringes of two disks 125 apart along x: dark where kx·125 = π, 16 steps of π/2000.
    grid = KGrid.quadrant(33, np.pi / 2000)
    pair = Configuration(Disks([[900.0, 1000.0], [1025.0, 1000.0]], [40.0, 40.0]), 2000.0)
    pattern = scatterer.intensity(pair, grid)
    assert np.argmin(pattern[0]) == 16
    assert pattern[0, 16] < 1e-6 * pattern[0, 0]
    assert pattern[16, 0] > 0.3 * pattern[0, 0]


@BOTH
def test_sign_of_the_phase_is_that_of_the_definition(scatterer):
    grid = KGrid.centered(9, 0.002)
    amplitude = scatterer.amplitude(Configuration(Disks([[150.0, 400.0]], [50.0]), 2000.0), grid)
    kx, ky = grid.axis[7], grid.axis[2]
    assert np.angle(amplitude[2, 7]) == pytest.approx(
        np.angle(np.exp(-1j * (kx * 150 + ky * 400))), abs=1e-6
    )


@BOTH
def test_real_contrast_obeys_friedels_law_exactly(scatterer, paper_grid):
    pattern = scatterer.intensities([draw(9)], paper_grid)[0]
    np.testing.assert_array_equal(pattern, pattern[::-1, ::-1])


@BOTH
def test_complex_contrast_breaks_friedels_law(scatterer):
    contrast = np.exp(1j * np.arange(9))
    pattern = scatterer.intensity(with_contrast(draw(9), contrast), KGrid.centered(65, 0.002))
    assert relative_error(pattern, pattern[::-1, ::-1]) > 0.1


@BOTH
def test_a_common_phase_of_the_contrast_leaves_the_intensity(scatterer):
    grid = KGrid.centered(65, 0.002)
    configuration = draw(9)
    turned = with_contrast(configuration, np.full(9, np.exp(0.7j)))
    expected = scatterer.intensity(configuration, grid)
    assert relative_error(scatterer.intensity(turned, grid), expected) < 1e-12


@BOTH
def test_a_translation_leaves_the_intensity(scatterer, paper_grid):
    # By whole pixels, so that the raster moves as one; well inside the box, so that nothing is cut.
    inner = Configuration(Disks([[700.3, 900.0], [1100.0, 1000.7]], [90.0, 60.0]), 2000.0)
    expected = scatterer.intensity(inner, paper_grid)
    shifted = scatterer.intensity(moved(inner, (-211.0, 345.0)), paper_grid)
    assert relative_error(shifted, expected) < 1e-11


@pytest.mark.parametrize("complex_contrast", [False, True])
def test_turning_the_box_by_a_right_angle_turns_the_pattern(complex_contrast, paper_grid):
    contrast = np.exp(1j * np.arange(8)) if complex_contrast else np.ones(8)
    disks = draw(8, 4, Polydisperse()).particles[0]
    x, y = disks.centers.T
    before = Configuration(attrs.evolve(disks, contrast=contrast), 2000.0)
    after = Configuration(
        attrs.evolve(disks, contrast=contrast, centers=np.stack([2000 - y, x], axis=1)), 2000.0
    )
    expected = np.rot90(Analytic().intensity(before, paper_grid), -1)
    assert relative_error(Analytic().intensity(after, paper_grid), expected) < 1e-12


@pytest.mark.parametrize("count", [2, 20])
@pytest.mark.parametrize("sampler", [Monodisperse(), Polydisperse()])
def test_forward_intensity_is_the_square_of_the_total_area(count, sampler, paper_grid):
    pattern = Analytic().intensity(draw(count, 1, sampler), paper_grid)
    assert pattern[128, 128] == pytest.approx((16200 * np.pi) ** 2, rel=1e-12)
    assert pattern.argmax() == 128 * 257 + 128


def test_forward_amplitude_of_a_configuration_is_that_of_the_scatterer(mixture):
    amplitude = Analytic().amplitude(mixture, KGrid.centered(1, 1.0))[0, 0]
    # The test's own ellipses are regularised at k = 0 to about 1e-18.
    assert mixture.forward_amplitude() == pytest.approx(amplitude, rel=1e-12)


@BOTH
def test_the_quadrant_layout_is_the_upper_right_quarter_of_the_centred_one(scatterer, mixture):
    for configuration in (draw(6), mixture):
        whole = scatterer.amplitude(configuration, KGrid.centered(65, 0.002))
        quarter = scatterer.amplitude(configuration, KGrid.quadrant(33, 0.002))
        np.testing.assert_allclose(quarter, whole[32:, 32:], atol=1e-10 * np.abs(whole).max())

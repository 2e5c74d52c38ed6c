"""Speckle of bodies at independent, uniform places: contrast, distribution, size (J. W. Goodman).

Where k is a whole multiple of 2π/L along both axes, phases of uniform places are uniform and pixels
uncorrelated, so that moments over places are known in closed form. Tolerances are four standard
errors, taken over configurations, which are independent; the seeds are fixed.
"""

import numpy as np
import pytest
from scipy.stats import kstest

from speckle_core import Configuration, KGrid
from speckle_disks.disks import Disks
from speckle_scatter.analytic import Analytic

BOX = 2000.0
GRID = KGrid.centered(33, 2 * np.pi / BOX)


def independent(rng, radii, contrast=None):
    centers = rng.uniform(0, BOX, (len(radii), 2))
    contrast = np.ones(len(radii)) if contrast is None else contrast
    return Configuration(Disks(centers, radii, contrast), BOX)


def half_plane(patterns):
    """The pixels of one of each pair ±k, without k = 0, (B, pixels)."""
    return patterns.reshape(len(patterns), -1)[:, : patterns[0].size // 2].astype(float)


def mean_and_standard_error(per_configuration):
    return per_configuration.mean(), per_configuration.std() / np.sqrt(len(per_configuration))


@pytest.mark.parametrize(
    ("radii", "contrast"),
    [
        (np.full(2, 30.0), np.ones(2)),
        (np.full(5, 30.0), np.ones(5)),
        (np.full(20, 30.0), np.ones(20)),
        (np.array([20.0, 35.0, 50.0, 50.0]), np.ones(4)),
        (np.full(3, 30.0), np.array([1.0, 2.0, 0.5])),
    ],
    ids=["2 equal", "5 equal", "20 equal", "unequal sizes", "unequal contrast"],
)
def test_contrast_of_independent_disks_is_that_of_a_random_walk(radii, contrast):
    # Random phases: <I> = Σf², <I²> = 2(Σf²)² - Σf⁴; so <I²>/<I>² - 1 = 1 - Σf⁴/(Σf²)², which is
    # 1 - 1/n for equal disks.
    rng = np.random.default_rng(12)
    configurations = [independent(rng, radii, contrast) for _ in range(600)]
    patterns = half_plane(Analytic().intensities(configurations, GRID))
    k = half_plane(GRID.magnitude()[None])[0]
    f = configurations[0].particles[0].form_factors(k, np.zeros_like(k)) * contrast[:, None]
    mean, fourth = np.sum(f**2, axis=0), np.sum(f**4, axis=0)
    expected = 1 - fourth / mean**2
    measured, error = mean_and_standard_error((patterns / mean).mean(axis=1))
    assert abs(measured - 1) < 4 * error < 0.05
    measured, error = mean_and_standard_error(((patterns / mean) ** 2 - 1 - expected).mean(axis=1))
    assert abs(measured) < 4 * error < 0.05
    if np.ptp(radii) == np.ptp(contrast) == 0:
        np.testing.assert_allclose(expected, 1 - 1 / len(radii), rtol=1e-9)


def test_intensity_of_many_disks_is_exponentially_distributed():
    rng = np.random.default_rng(7)
    radii = np.full(600, 10.0)
    configurations = [independent(rng, radii) for _ in range(12)]
    patterns = half_plane(Analytic().intensities(configurations, GRID))
    k = half_plane(GRID.magnitude()[None])[0]
    form_factor = configurations[0].particles[0].radial_form_factor(0, k)
    normalised = (patterns / (600 * form_factor**2)).ravel()
    assert kstest(normalised, "expon").pvalue > 0.01
    # The same test tells few disks from many: two give I/<I> = 1 + cos φ, never above 2.
    few = [independent(rng, radii[:2]) for _ in range(12)]
    few = half_plane(Analytic().intensities(few, GRID)) / (2 * form_factor**2)
    assert kstest(few.ravel(), "expon").pvalue < 1e-6


def test_speckle_size_is_that_of_the_box():
    # Autocovariance of I along kx: sinc²(Δk·L/2), with its first zero at Δk = 2π/L: eight pixels.
    step = np.pi / (4 * BOX)
    grid = KGrid.quadrant(81, step)
    rng = np.random.default_rng(3)
    count = 150
    radii = np.full(count, 2.0)
    boxes = [independent(rng, radii) for _ in range(150)]
    form_factor = boxes[0].particles[0].radial_form_factor(0, grid.magnitude())
    # Far enough from k = 0 for the mean amplitude of a full box to have died away.
    excess = (Analytic().intensities(boxes, grid) / (count * form_factor**2))[:, 24:, 24:] - 1
    for lag in range(17):
        product = excess[:, :, : 57 - 17] * excess[:, :, lag : lag + 57 - 17]
        covariance, error = mean_and_standard_error(product.mean(axis=(1, 2)))
        expected = np.sinc(lag * step * BOX / 2 / np.pi) ** 2 * (1 - 1 / count)
        assert abs(covariance - expected) < 4 * error + 0.01
        assert error < 0.03

"""Zeros of form factors against those of the Bessel function."""

import numpy as np
import pytest
from scipy import special

from speckle_core import Configuration, KGrid, create
from speckle_core.analysis.form_factor_zeros import form_factor_zeros, mean_form_factor

FINE = np.arange(1, 1024) * (np.pi / 2000 / 8)


def drawn(count, numbers=3, **options):
    sampler = create("sampler", options.pop("sampler", "monodisperse"), **options)
    return [sampler.sample(count, np.random.default_rng(i)) for i in range(numbers)]


@pytest.mark.parametrize("count", [2, 10])
def test_equal_disks_vanish_at_the_zeros_of_j1(count):
    radius = 90 * np.sqrt(2 / count)
    zeros = special.jn_zeros(1, 20) / radius
    expected = zeros[zeros < FINE[-2]]
    np.testing.assert_allclose(form_factor_zeros(drawn(count), FINE), expected, rtol=1e-6)


def test_disks_of_spread_sizes_fill_one_another_s_zeros():
    found = form_factor_zeros(drawn(10, sampler="polydisperse"), FINE)
    assert len(found) == 0


def test_the_mean_over_equal_disks_is_the_square_of_one_s_amplitude():
    k = FINE[::50]
    expected = (2 * np.pi * 90 * special.j1(90 * k) / k) ** 2
    np.testing.assert_allclose(
        mean_form_factor(drawn(5, radius=90.0), k), expected, rtol=1e-9, atol=1e-6 * expected[0]
    )


def test_a_shape_without_zeros_has_none():
    class Gaussian:
        centers, bounding_radii = np.zeros((1, 2)), np.ones(1)
        contrast = np.ones(1)

        def __len__(self):
            return 1

        def form_factors(self, kx, ky):
            return np.exp(-1e3 * (kx**2 + ky**2))[None]

        def density(self, i, x, y):
            return np.exp(-(x**2 + y**2))

    assert len(form_factor_zeros([Configuration(Gaussian(), 2000.0)], FINE)) == 0


def test_zeros_lie_on_the_grid_where_the_pattern_is_dark():
    grid = KGrid.centered(257, np.pi / 2000)
    (first, *_) = form_factor_zeros(drawn(10), FINE)
    assert first / grid.step == pytest.approx(60.61, abs=0.01)


class Fringes:
    """One body with |F|² = cos²(kx d) + floor: minima of a known share of the maxima between."""

    centers, bounding_radii, contrast = np.zeros((1, 2)), np.ones(1), np.ones(1)
    apart = 60.0

    def __init__(self, floor):
        self.floor = floor

    def __len__(self):
        return 1

    def form_factors(self, kx, ky):
        k = np.hypot(kx, ky)
        return (np.cos(k * self.apart) + 1j * np.sqrt(self.floor))[None]


@pytest.mark.parametrize(("floor", "vanishes"), [(0.0, True), (9e-5, True), (1.2e-4, False)])
def test_a_form_factor_vanishes_below_a_ten_thousandth_of_its_next_maximum(floor, vanishes):
    found = form_factor_zeros([Configuration(Fringes(floor), 2000.0)], FINE[FINE < 0.17])
    expected = (np.arange(3) + 0.5) * np.pi / Fringes.apart if vanishes else []
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_where_the_samples_end_before_the_next_maximum_the_last_one_stands_for_it():
    # One minimum at 0.0262; the samples end where cos² has risen to about a half.
    middle = 0.75 * np.pi / Fringes.apart
    rising = FINE[: np.searchsorted(FINE, middle)]
    for floor, vanishes in ((2e-5, True), (9e-5, False)):
        found = form_factor_zeros([Configuration(Fringes(floor), 2000.0)], rising)
        assert len(found) == vanishes, floor


class Stretched(Fringes):
    """A Gaussian of two widths, whose mean over directions is a modified Bessel function."""

    a, b = 40.0, 15.0

    def form_factors(self, kx, ky):
        return np.exp(-((self.a * kx) ** 2 + (self.b * ky) ** 2) / 2)[None]


def test_the_mean_goes_over_all_directions_of_a_body_that_is_not_round():
    k = np.linspace(0.001, 0.045, 12)
    found = mean_form_factor([Configuration(Stretched(0), 2000.0)], k)
    squares = Stretched.a**2, Stretched.b**2
    # ∫ exp(-k² (a² cos² + b² sin²)) dφ / 2π; DLMF 10.32.1.
    expected = np.exp(-(k**2) * sum(squares) / 2) * special.i0(k**2 * (squares[0] - squares[1]) / 2)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_bodies_count_by_the_square_of_their_contrast():
    class Strong(Fringes):
        contrast = np.array([3.0j])

    k = FINE[:200]
    bodies = Configuration((Fringes(0.0), Strong(0.0)), 2000.0)
    expected = (1 + 9) / 2 * np.cos(k * Fringes.apart) ** 2
    np.testing.assert_allclose(mean_form_factor([bodies], k), expected, atol=1e-12)
    alone = mean_form_factor([Configuration(Fringes(0.0), 2000.0)], k)
    np.testing.assert_allclose(alone, np.cos(k * Fringes.apart) ** 2, atol=1e-12)

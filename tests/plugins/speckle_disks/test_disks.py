"""The disk's form factor against published values and against its own density."""

import numpy as np
import pytest
from scipy.special import jv

from speckle_core import DataError, KGrid
from speckle_core.contracts.geometry import Particles, SupportsRadialFormFactors
from speckle_disks.disks import Disks, chords_needed


def disk(radius, center=(0.0, 0.0)):
    return Disks([center], [radius])


@pytest.mark.parametrize(
    ("x", "expected"),
    [(0.5, 0.93910409), (1, 0.77457807), (2, 0.33261150), (3, 0.05109377), (5, 0.01716929)],
)
def test_intensity_of_a_disk_has_the_tabulated_values(x, expected):
    radius = 37.0
    form_factor = disk(radius).form_factors(np.array([x / radius]), np.zeros(1))[0, 0]
    assert (form_factor / (np.pi * radius**2)) ** 2 == pytest.approx(expected, abs=5e-9)


@pytest.mark.parametrize("zero", [3.83170597, 7.01558667, 10.17346814])
def test_form_factor_vanishes_at_the_zeros_of_j1_and_changes_sign_there(zero):
    radius = 90.0
    k = np.array([zero - 1e-8, zero, zero + 1e-8]) / radius
    before, at, after = disk(radius).form_factors(k, np.zeros(3))[0] / (np.pi * radius**2)
    assert abs(at) < 3e-9
    assert before * after < 0


def test_form_factor_at_zero_is_the_area_exactly():
    zero = np.zeros((1, 1))
    assert disk(90.0).form_factors(zero, zero)[0, 0, 0] == np.pi * 90.0**2


def test_form_factor_near_zero_follows_its_series():
    x = np.logspace(-300, -2, 400)
    value = disk(1.0).form_factors(x, np.zeros_like(x))[0] / np.pi
    np.testing.assert_allclose(value, 1 - x**2 / 8 + x**4 / 192, rtol=1e-13)


def test_form_factor_is_the_fourier_transform_of_the_density():
    radius, center = 3.0, (1.7, -0.4)
    particles = disk(radius, center)
    step = 0.005
    side = np.arange(-radius - 0.05, radius + 0.05, step)
    x, y = np.meshgrid(center[0] + side, center[1] + side)
    density = particles.density(0, x, y)
    for kx, ky in [(0.0, 0.0), (0.5, 0.0), (0.0, 1.3), (-0.9, 0.6), (1.5, 1.5)]:
        phase = np.exp(-1j * (kx * (x - center[0]) + ky * (y - center[1])))
        numerical = np.sum(density * phase) * step**2
        exact = particles.form_factors(np.array(kx), np.array(ky))[0]
        assert abs(numerical - exact) < 1e-3 * np.pi * radius**2


def test_radial_form_factor_is_the_form_factor_along_any_direction():
    particles = Disks([[0.0, 0.0], [9.0, 9.0]], [5.0, 11.0])
    k = np.linspace(0, 3, 50)
    both = particles.form_factors(k * np.cos(0.7), k * np.sin(0.7))
    for i in range(2):
        np.testing.assert_allclose(particles.radial_form_factor(i, k), both[i], atol=1e-10)


def test_disks_fulfil_the_protocols_of_particles():
    particles = disk(5.0)
    assert isinstance(particles, Particles)
    assert isinstance(particles, SupportsRadialFormFactors)


def test_density_includes_the_rim_and_nothing_beyond():
    particles = disk(5.0, (10.0, 20.0))
    x = np.array([10.0, 15.0, 13.0, 15.0 + 1e-9])
    y = np.array([20.0, 20.0, 24.0, 20.0])
    np.testing.assert_array_equal(particles.density(0, x, y), [1, 1, 1, 0])


def test_disks_keep_their_own_copy_of_what_they_are_given():
    radii = np.array([5.0])
    particles = Disks(np.zeros((1, 2)), radii)
    radii[0] = 7.0
    assert particles.radii[0] == 5.0


@pytest.mark.parametrize(
    "arrays",
    [
        ([[0, 0]], [1, 2]),
        ([0, 0], [1]),
        ([[0, 0]], [0.0]),
        ([[0, 0]], [-1.0]),
        ([[0, 0]], [np.nan]),
        ([[0, 0]], [1.0], [1, 2]),
    ],
)
def test_disks_that_cannot_be_are_refused(arrays):
    with pytest.raises(DataError):
        Disks(*arrays)


@pytest.mark.parametrize(
    ("step", "radius", "pixels"),
    [
        (np.pi / 2000, 90.0, 27.10),
        (np.pi / 2000, 90.0 * np.sqrt(2 / 10), 60.61),
        (np.pi / 2000, 90.0 * np.sqrt(2 / 20), 85.71),
        (2 * np.pi / 18001, 90.0, 121.97),
        (2 * np.pi / 18001, 90.0 * np.sqrt(2 / 10), 272.74),
        (2 * np.pi / 18001, 90.0 * np.sqrt(2 / 20), 385.71),
    ],
)
def test_first_dark_ring_lies_at_the_published_pixel(step, radius, pixels):
    k = KGrid.quadrant(400, step).axis
    form_factor = disk(radius).form_factors(k, np.zeros_like(k))[0]
    last = int(np.argmax(form_factor < 0)) - 1
    inner, outer = form_factor[last : last + 2]
    assert last + inner / (inner - outer) == pytest.approx(pixels, abs=0.015)


def test_chords_reach_as_far_as_the_bessel_functions_that_bound_their_error() -> None:
    x = np.concatenate([np.geomspace(1e-3, 60, 3000), np.linspace(60, 2500, 2000)])
    assert np.abs(jv(4 * chords_needed(x), x)).max() < 3e-14


@pytest.mark.parametrize("k_max", [0.01, 0.3, 3.0])
def test_chords_add_up_to_the_airy_pattern(k_max: float) -> None:
    disks = Disks(np.zeros((3, 2)), np.array([1.0, 40.0, 150.0]))
    rng = np.random.default_rng(0)
    angle, k = rng.uniform(0, 2 * np.pi, 50), rng.uniform(0, k_max, 50)
    kx, ky = k * np.cos(angle), k * np.sin(angle)
    owner, a, b, weight = disks.chords(np.array([2, 0, 1]), k_max)
    terms = weight * np.sin(np.outer(kx, a)) / kx[:, None] * np.cos(np.outer(ky, b))
    for place, body in enumerate((2, 0, 1)):
        error = terms[:, owner == place].sum(axis=1) - disks.form_factors(kx, ky)[body]
        assert np.abs(error).max() < 1e-12 * np.pi * disks.radii[body] ** 2

"""The geometry against what it can be compared with: circles, rasters, and supporting lines."""

import numpy as np
import pytest
from speckle_core import KGrid, PackingError, create

from speckle_ellipses.placing import apart, axis_vectors, grown, place
from speckle_ellipses.shapes import Circles, Ellipses

DIRECTIONS = np.linspace(0, np.pi, 20_000, endpoint=False)


def distance(centers, axes):
    """Return the distance of two ellipses: the widest gap that supporting lines leave them.

    Its sign tells apart from overlap (separating lines); to about 1e-6 of its size.
    """
    lines = np.stack([np.cos(DIRECTIONS), np.sin(DIRECTIONS)])
    supports = [np.hypot(*(vectors.T @ lines)) for vectors in axes]
    return np.max(np.abs((centers[1] - centers[0]) @ lines) - sum(supports))


def test_an_ellipse_of_equal_axes_scatters_as_a_circle():
    kx, ky = np.meshgrid(np.linspace(-0.1, 0.1, 9), np.linspace(-0.1, 0.1, 9))
    center = np.array([[3.0, 4.0]])
    ellipse = Ellipses(center, np.array([[60.0, 60.0]]), np.array([0.7]))
    circle = Circles(center, np.array([60.0]))
    np.testing.assert_allclose(ellipse.form_factors(kx, ky), circle.form_factors(kx, ky), rtol=1e-9)


def test_the_first_zeros_lie_where_bessels_function_has_them():
    ellipse = Ellipses(np.zeros((1, 2)), np.array([[80.0, 20.0]]), np.array([np.pi / 2]))
    # The long axis lies along y, so the pattern is narrow there (zero of J1: DLMF table 10.21.ii).
    zero = 3.8317059702075125
    along_x, along_y = np.array([zero / 20, 0.0]), np.array([0.0, zero / 80])
    np.testing.assert_allclose(ellipse.form_factors(along_x, along_y)[0], 0, atol=1e-10)


@pytest.mark.parametrize("angle", [0.0, 0.4, 1.3])
def test_the_area_of_the_density_is_the_forward_form_factor(angle):
    ellipse = Ellipses(np.array([[500.0, 480.0]]), np.array([[90.0, 30.0]]), np.array([angle]))
    pixels = np.arange(1000) + 0.5
    covered = ellipse.density(0, *np.meshgrid(pixels, pixels)).sum()
    assert covered == pytest.approx(np.pi * 90 * 30, rel=2e-3)
    forward = ellipse.form_factors(np.zeros(1), np.zeros(1))[0, 0]
    assert forward == pytest.approx(np.pi * 90 * 30, rel=1e-14)


def test_refined_parameters_are_the_ellipses_they_build():
    rng = np.random.default_rng(2)
    shape = Ellipses.refinement()
    parameters = rng.uniform([20, -30, 20], [90, 30, 90], (5, 3))
    centers = rng.uniform(0, 2000, (5, 2))
    kx, ky = rng.uniform(-0.1, 0.1, (2, 40))
    built = shape.build(centers, parameters)
    expected, _ = shape.form_factors(parameters, kx, ky)
    np.testing.assert_allclose(built.form_factors(kx, ky), expected, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(shape.sizes(parameters), built.bounding_radii)
    circle = shape.build(centers[:1], shape.start(np.array([50.0])))
    np.testing.assert_allclose(circle.semi_axes, 50.0)


def test_derivatives_of_the_form_factor_are_its_differences():
    shape = Ellipses.refinement()
    kx, ky = np.append(np.random.default_rng(4).uniform(-0.1, 0.1, (2, 20)), np.zeros((2, 1)), 1)
    for parameters in ([50.0, 0.0, 50.0], [70.0, -25.0, 30.0]):
        middle = np.array(parameters)
        _, slopes = shape.form_factors(middle, kx, ky)
        for i in range(3):
            bump = np.zeros(3)
            bump[i] = 1e-4
            up, down = (shape.form_factors(middle + s * bump, kx, ky)[0] for s in (1, -1))
            np.testing.assert_allclose(slopes[i], (up - down) / 2e-4, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_the_solver_finds_ellipses_with_their_axes_and_angles(count):
    grid = KGrid.centered(65, np.pi / 500)
    sampler = create("sampler", "ellipses", box=500.0, total_area=6000.0)
    system = sampler.sample(count, np.random.default_rng(count))
    pattern = create("scatterer", "analytic").intensity(system, grid)
    solver = create("solver", "patterson", shape="speckle_ellipses.shapes:Ellipses", starts=6)
    found = solver.solve(pattern, grid)
    assert found.solved
    assert len(found.configuration) == count
    (true,), (bodies,) = system.particles, found.configuration.particles
    # Every true ellipse is there, whatever moved or inverted the whole; turned by π it is the same.
    for axes, angle in zip(true.semi_axes, true.angles, strict=True):
        off = np.abs((bodies.angles - angle + np.pi / 2) % np.pi - np.pi / 2)
        assert np.min(off + np.abs(bodies.semi_axes - axes).max(axis=1)) < 1e-6


def test_apart_agrees_with_separating_lines():
    rng = np.random.default_rng(1)
    answers = []
    for _ in range(300):
        axes = axis_vectors(rng.uniform(0.3, 3, (2, 2)), rng.uniform(0, np.pi, 2))
        centers = np.array([[0, 0], rng.uniform(-5, 5, 2)])
        gap = distance(centers, axes)
        if abs(gap) < 1e-4:
            continue
        found = apart(centers[0], axes[0], centers[1:], axes[1:])[0]
        assert found == (gap > 0), (centers, axes)
        assert found == apart(centers[1], axes[1], centers[:1], axes[:1])[0]
        answers.append(found)
    assert 50 < sum(answers) < len(answers) - 50


@pytest.mark.parametrize(("distance", "expected"), [(2.999, False), (3.001, True)])
def test_circles_are_apart_beyond_the_sum_of_their_radii(distance, expected):
    axes = axis_vectors(np.array([[1.0, 1.0], [2.0, 2.0]]), np.array([0.3, 1.1]))
    center = np.array([[distance * 0.6, distance * 0.8]])
    assert apart(np.zeros(2), axes[0], center, axes[1:])[0] == expected


def test_an_ellipse_within_another_is_not_apart():
    axes = axis_vectors(np.array([[5.0, 4.0], [1.0, 0.5]]), np.array([0.0, 0.8]))
    assert not apart(np.zeros(2), axes[0], np.array([[1.0, 1.0]]), axes[1:])[0]


def test_placed_ellipses_keep_the_gap():
    rng = np.random.default_rng(3)
    semi_axes, angles = np.tile([120.0, 30.0], (25, 1)), rng.uniform(0, np.pi, 25)
    centers = place(semi_axes, angles, box=1200.0, gap=15.0, rng=rng)
    axes = axis_vectors(semi_axes, angles)
    gaps = [distance(centers[[i, j]], axes[[i, j]]) for i in range(25) for j in range(i)]
    assert 15.0 - 1e-6 < min(gaps) < 30.0


def test_growing_adds_half_the_gap_to_a_circle_and_a_little_more_to_an_ellipse():
    circle, ellipse = grown(np.array([[10.0, 10.0], [20.0, 5.0]]), 4.0)
    np.testing.assert_allclose(circle, [12.0, 12.0])
    np.testing.assert_allclose(ellipse, [22.5, 7.5])


def test_too_many_are_refused():
    with pytest.raises(PackingError, match=r"60 ellipses, which cover 0\.59"):
        create("sampler", "ellipses", box=500.0, total_area=147_000.0).sample(
            60, np.random.default_rng(0)
        )


def test_a_mixture_holds_both_shapes_and_one_total_area():
    sampler = create("sampler", "circles-and-ellipses", share=0.25, aspect=3.0)
    configuration = sampler.sample(8, np.random.default_rng(0))
    assert [(type(p).__name__, len(p)) for p in configuration.particles] == [
        ("Ellipses", 2),
        ("Circles", 6),
    ]
    assert configuration.forward_amplitude() == pytest.approx(16200 * np.pi)

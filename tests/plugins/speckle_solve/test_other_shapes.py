import numpy as np
import pytest

from speckle_core import Component, Configuration, RefinableShape, hookimpl, plugin_manager
from speckle_solve.solver import Patterson
from tests.plugins.speckle_solve.ellipse_shape import Ellipses, EllipseShape
from tests.plugins.speckle_solve.solve_cases import GRID, blocked

CENTERS = np.array([[400.0, 500.0], [1300.0, 700.0], [800.0, 1500.0], [1500.0, 1400.0]])
AXES = np.array([[80.0, 50.0], [70.0, 55.0], [90.0, 60.0], [60.0, 40.0]])
TRUTH = Configuration(Ellipses(CENTERS, AXES, np.array([0.3, 1.2, 2.0, 0.8])), 2000.0)


class Plugin:
    """Only shapes of packages that brought a plugin are imported."""

    @hookimpl
    def speckle_samplers(self):
        return [Component("some-ellipses", "tests.plugins.speckle_solve:None", "No sampler.")]


@pytest.fixture
def _installed():
    plugin_manager().register(Plugin(), "ellipses")
    yield
    plugin_manager.cache_clear()


def test_derivatives_with_respect_to_every_parameter():
    shape = EllipseShape()
    assert isinstance(shape, RefinableShape)
    kx, ky = np.random.default_rng(0).uniform(-0.1, 0.1, (2, 30))
    at = np.array([[80.0, 50.0, 0.4]])
    _, derivative = shape.form_factors(at, kx, ky)
    for number, step in enumerate((1e-3, 1e-3, 1e-6)):
        delta = step * np.eye(3)[number]
        up, down = (shape.form_factors(at + s * delta, kx, ky)[0] for s in (1, -1))
        np.testing.assert_allclose(
            derivative[0, number], (up - down)[0] / (2 * step), rtol=1e-4, atol=1e-2
        )


@pytest.mark.usefixtures("_installed")
def test_ellipses_are_solved_as_ellipses():
    shape = "tests.plugins.speckle_solve.ellipse_shape:Ellipses"
    solution = Patterson(shape=shape).solve(blocked(TRUTH), GRID)
    found = solution.configuration.particles[0]
    assert (solution.solved, len(found)) == (True, 4)
    np.testing.assert_allclose(
        np.sort(found.semi_axes.max(axis=1)), np.sort(AXES.max(axis=1)), rtol=1e-6
    )
    assert set(solution.errors[0]) == {"x", "y", "a", "b", "angle"}


def test_ellipses_are_not_solved_as_disks():
    solution = Patterson(starts=3).solve(blocked(TRUTH), GRID)
    assert not solution.solved

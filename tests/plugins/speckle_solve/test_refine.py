import numpy as np
import pytest
from scipy.optimize import least_squares

from speckle_core import RefinableShape
from speckle_disks.disks import Disks
from speckle_disks.spheres import Spheres
from speckle_solve.amplitudes import Table, fisher, linearize, misfits
from speckle_solve.checking import prepared
from speckle_solve.maps import Window
from speckle_solve.pixels import Pixels
from speckle_solve.refine import Candidates, refine
from speckle_solve.scene import Scene
from tests.plugins.speckle_solve.solve_cases import GRID

DISKS = Disks.refinement()
CENTERS = np.array([[0.0, 0.0], [300.0, -200.0], [-150.0, 420.0]])
RADII = np.array([[60.0], [80.0], [45.0]])


@pytest.fixture
def pixels():
    rng = np.random.default_rng(0)
    kx, ky = rng.uniform(-0.05, 0.05, (2, 400))
    return Pixels(kx, ky, rng.random(400) * 1e4, rng.random(400) + 0.5)


@pytest.mark.parametrize("shape", [DISKS, Spheres.refinement()])
def test_derivatives_of_the_shape_are_those_of_the_form_factor(shape):
    assert isinstance(shape, RefinableShape)
    k = np.linspace(0, 0.3, 50)
    radius, step = np.array([[40.0]]), 1e-4
    _, derivative = shape.form_factors(radius, k, 0 * k)
    up, down = (shape.form_factors(radius + s, k, 0 * k)[0] for s in (step, -step))
    np.testing.assert_allclose(derivative[:, 0], (up - down) / (2 * step), rtol=1e-5, atol=1e-4)


def test_the_gradient_is_that_of_the_misfit(pixels):
    shape = DISKS
    state = linearize(shape, None, CENTERS[None], RADII[None], pixels)
    total = np.sum((pixels.weight * pixels.root) ** 2)
    for axis, number in ((0, 1), (1, 2), (2, 0)):
        moved = [[CENTERS.copy(), RADII.copy()] for _ in range(2)]
        for (centers, radii), step in zip(moved, (1e-3, -1e-3), strict=True):
            (radii[:, 0] if axis == 2 else centers[:, axis])[number] += step
        up, down = (misfits(shape, None, c[None], r[None], pixels)[0][0] for c, r in moved)
        slope = (up - down) / 2e-3 * total / 2
        assert state.gradient[0, 3 * axis + number] == pytest.approx(slope, rel=1e-5)


def test_the_gradient_of_the_deviance(pixels):
    counts = np.random.default_rng(1).poisson(2.0, 400).astype(float)
    exposure = np.ones(400)

    def deviance(radii):
        return fisher(DISKS, None, CENTERS[None], radii[None], pixels, counts, exposure)

    state = deviance(RADII)
    up, down = (deviance(RADII + np.array([[s], [0], [0]])).misfit[0] for s in (1e-4, -1e-4))
    # Half the slope of the deviance, as for squares of residuals.
    assert 2 * state.gradient[0, 6] == pytest.approx((up - down) / 2e-4, rel=1e-4)


def test_the_table_is_the_shape_in_float32(pixels):
    shape = DISKS
    single = pixels.take(np.arange(400), np.float32)
    table = Table.of(shape, 30.0)
    args = CENTERS[None].astype(np.float32), RADII[None].astype(np.float32), single
    exact = misfits(shape, None, CENTERS[None], RADII[None], pixels)
    np.testing.assert_allclose(misfits(shape, table, *args), exact, rtol=1e-3)


def test_agrees_with_an_independent_least_squares(sample):
    truth, pattern = sample("poly", 3)
    noisy = pattern * np.random.default_rng(0).normal(1, 0.05, pattern.shape)
    scene = Scene.of(prepared(noisy, GRID, None), DISKS, 2000.0, np.random.default_rng(0))
    pixels = scene.subset(3, 3, np.float64)
    disks = truth.particles[0]
    start = Candidates.of(disks.centers - 1000.0, disks.radii[:, None] * 1.01)
    ours = refine(start, scene.shape, None, pixels, iterations=40, tolerance=1e-9)

    def rest(p):
        x, y, r = p[:9].reshape(3, 3)
        form, _ = scene.shape.form_factors(r[:, None], pixels.kx, pixels.ky)
        phase = np.outer(x, pixels.kx) + np.outer(y, pixels.ky)
        size = np.abs(np.sum(form * np.exp(-1j * phase), axis=0))
        return pixels.weight * (p[9] * size - pixels.root)

    first = [*start.centers[0].T.ravel(), *start.parameters[0, :, 0], ours.scale[0]]
    theirs = least_squares(rest, first, x_scale=np.abs(first) + 1, xtol=1e-13, ftol=1e-13)
    total = np.sum((pixels.weight * pixels.root) ** 2)
    assert ours.misfit[0] == pytest.approx(2 * theirs.cost / total, rel=1e-6)
    np.testing.assert_allclose(ours.parameters[0, :, 0], theirs.x[6:9], rtol=1e-5)


def test_candidates_do_not_disturb_each_other(pixels):
    centers = np.stack([CENTERS, CENTERS + np.array([[0, 0], [9, 0], [0, 0]])])
    radii = np.stack([RADII, RADII])
    both = refine(
        Candidates(centers, radii, np.ones(2), np.ones(2)), DISKS, None, pixels, iterations=5
    )
    alone = refine(Candidates.of(CENTERS, RADII), DISKS, None, pixels, iterations=5)
    assert both.misfit[0] == pytest.approx(alone.misfit[0], rel=1e-9)


def test_a_window_is_the_sum_over_the_half_plane():
    ky, kx = np.arange(-3, 4) * 0.1, np.arange(4) * 0.1
    half = np.random.default_rng(0).random((7, 4)) + 1j
    window = Window.of(ky, kx, -2.0, 0.5, 9)
    y, x = -2.0 + 0.5 * 6, -2.0 + 0.5 * 1
    direct = np.sum(half * np.exp(1j * (ky[:, None] * y + kx * x))).real
    assert window.map(half)[6, 1] == pytest.approx(direct, rel=1e-5)

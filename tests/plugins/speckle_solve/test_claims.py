"""What counts allow to say of how many bodies there are. About 2 s on an idle core."""

import numpy as np
import pytest
from scipy.stats import chi2

from speckle_core import Configuration, KGrid
from speckle_disks.disks import Disks
from speckle_solve.checking import prepared
from speckle_solve.claims import resolved, surprise, unseen
from speckle_solve.order import ordered
from speckle_solve.photons import Photons
from speckle_solve.scene import Scene
from speckle_solve.solver import Patterson
from tests.plugins.speckle_solve.solve_cases import SAMPLERS, blocked, errors

GRID = KGrid.centered(129, np.pi / 1000)
CENTERS = np.array([[200.0, 250.0], [700.0, 300.0], [450.0, 800.0], [800.0, 750.0]])
RADII = np.array([[60.0], [50.0], [40.0], [12.0]])
PHOTONS = 1e6


@pytest.fixture(scope="module")
def photons():
    """Counts of four disks, the last of them small."""
    expected = blocked(Configuration(Disks(CENTERS, RADII[:, 0]), 1000.0), GRID)
    counts = np.random.default_rng(3).poisson(expected * (PHOTONS / expected.sum()))
    half = prepared(counts, GRID, None)
    scene = Scene.of(half, Disks.refinement(), 1000.0, np.random.default_rng(0))
    return Photons.of(scene)


@pytest.fixture(scope="module")
def truth(photons):
    return photons.refined(CENTERS, RADII)


def test_a_body_gains_twice_the_photons_that_it_would_scatter_alone(photons, truth):
    alone = blocked(Configuration(Disks(CENTERS[3:], RADII[3:, 0]), 1000.0), GRID).sum()
    share = alone / blocked(Configuration(Disks(CENTERS, RADII[:, 0]), 1000.0), GRID).sum()
    without = photons.refined(CENTERS[:3], RADII[:3])
    assert without.deviance - truth.deviance == pytest.approx(2 * PHOTONS * share, rel=0.15)


def test_the_price_is_what_noise_offers_at_the_best_of_all_places(photons):
    pixels = len(photons.counts)
    assert chi2.sf(photons.price, 3) * pixels == pytest.approx(1e-4, rel=1e-6)
    assert photons.price > 3 * np.log(pixels)  # of the Bayesian information criterion


def test_one_body_found_as_two_halves_is_one(photons):
    part = RADII[:1] / np.sqrt(2)
    halves = CENTERS[0] + np.array([[-30.0, 0.0], [30.0, 0.0]])
    start = photons.refined(
        np.concatenate([halves, CENTERS[1:]]), np.concatenate([part, part, RADII[1:]])
    )
    assert len(ordered(photons, start, 10).best.centers) == 4


def test_a_missing_body_is_found_and_a_ghost_removed(photons, truth):
    for keep, ghost in (([0, 1, 3], False), ([0, 1, 2, 3], True)):
        centers, radii = CENTERS[keep], RADII[keep]
        if ghost:
            centers = np.concatenate([centers, [[500.0, 500.0]]])
            radii = np.concatenate([radii, [[5.0]]])
        order = ordered(photons, photons.refined(centers, radii), 10)
        assert len(order.best.centers) == 4
        assert order.best.deviance == pytest.approx(truth.deviance, abs=0.5)
        more, fewer = order.leads()
        assert more > 0
        assert fewer > photons.price


def test_the_truth_does_not_surprise_and_a_structure_without_a_body_does(photons, truth):
    assert abs(surprise(photons, truth)) < 4
    assert surprise(photons, photons.refined(CENTERS[:2], RADII[:2])) > 20


def test_the_size_of_a_body_that_is_only_known_to_be_there_is_not_resolved(photons, truth):
    state = photons.linear(
        truth.centers[None].astype(np.float32), truth.parameters[None].astype(np.float32)
    )
    assert resolved(state.hessian[0], truth.parameters, photons.price)
    assert not resolved(np.zeros((3, 3)), np.array([[1e-3]]), photons.price)


def test_smaller_bodies_go_with_sizes_that_differ_and_not_with_equal_ones():
    equal, unequal = 60 + 0.01 * np.arange(10), 60 + 8.0 * np.arange(-5, 5)
    assert unseen(equal, 5.0) < 1e-9
    assert unseen(unequal, 5.0) > 1e-2
    assert unseen(equal[:1], 5.0) == np.inf
    # Two alike say little, however alike they are.
    assert unseen(equal[:2], 5.0) > unseen(equal[:3], 5.0) > unseen(equal, 5.0)


def test_bodies_one_fringe_beside_their_place_are_freed():
    """Disks of 90 from ten thousand photons: at high k alone, a shift of a fringe is a minimum."""
    rng = np.random.default_rng(np.random.SeedSequence(20221115, spawn_key=(19, 1)))
    truth = SAMPLERS["fixed"].sample(19, rng)
    pattern = blocked(truth)
    counts = rng.poisson(pattern * (1e4 / pattern.sum()))
    found = Patterson(box=2000.0).solve(counts, KGrid.centered(257, np.pi / 2000), seed=1)
    place, radius = errors(truth, found.configuration)
    assert (found.solved, len(found.configuration)) == (True, 19)
    assert place < 4
    assert radius < 4

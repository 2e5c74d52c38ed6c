import numpy as np
import pytest

from speckle_core import Configuration
from speckle_disks.disks import Disks
from speckle_specklenet.amplitudes import Points, misfit, waves
from speckle_specklenet.difference import missing
from speckle_specklenet.evidence import Evidence
from speckle_specklenet.leastsquares import Model, refine
from speckle_specklenet.plane import Half, Plane
from speckle_specklenet.refinement import Refinement


def points(count, root=None):
    rng = np.random.default_rng(0)
    k = np.stack([rng.uniform(0, 20, count), rng.uniform(-20, 20, count)]).astype(np.float32)
    ones = np.ones(count, dtype=np.float32)
    return Points(k, np.hypot(*k), ones if root is None else root, ones)


def true_model(pipeline, configuration):
    body, step = configuration.particles[0], pipeline.grid.step
    places = (body.centers[:, ::-1] * step).astype(np.float32)
    return Model(places, (body.bounding_radii * step).astype(np.float32))


def test_the_amplitude_is_that_of_the_scatterer(pipeline):
    configuration = pipeline.draw(3, 0, 2)
    body, step = configuration.particles[0], pipeline.grid.step
    at, model = points(200), true_model(pipeline, configuration)
    ky, kx = at.k * step
    phases = np.exp(-1j * (np.outer(body.centers[:, 0], kx) + np.outer(body.centers[:, 1], ky)))
    expected = np.abs((body.form_factors(kx, ky) * phases).sum(0)) * step**2 / np.pi
    found = waves(model.places, model.radii, at).modulus
    np.testing.assert_allclose(found, expected, atol=2e-5 * expected.max())


def test_least_squares_find_the_disks_again():
    places = np.array([[0.0, 0.0], [0.9, -0.4], [-0.5, 0.6]], dtype=np.float32)
    radii = np.array([0.09, 0.07, 0.05], dtype=np.float32)
    measured = points(300, 7 * waves(places, radii, points(300)).modulus)
    start = Model(places + np.float32(0.015), radii * np.float32(1.1))
    found = refine(start, measured, 0.07, 12, 0.0)
    assert found.left < 1e-10
    np.testing.assert_allclose(found.radii, radii, rtol=2e-5)
    shift = found.places - places
    np.testing.assert_allclose(shift, np.broadcast_to(shift[0], shift.shape), atol=1e-3)
    assert found.scale == pytest.approx(7, rel=1e-2)


def test_least_squares_end_where_the_misfit_is_small_enough():
    places, radii = np.zeros((1, 2), dtype=np.float32), np.full(1, 0.07, dtype=np.float32)
    measured = points(100, waves(places, radii, points(100)).modulus)
    found = refine(Model(places, radii), measured, 0.07, 12, 1e-7)
    np.testing.assert_array_equal(found.radii, radii)


def test_the_misfit_is_what_the_best_scale_leaves():
    at = points(50)
    modulus = np.random.default_rng(1).random(50).astype(np.float32)
    scale, left = misfit(modulus, at)
    expected = modulus.sum() / (modulus @ modulus)
    assert scale == pytest.approx(expected, rel=1e-5)
    assert left == pytest.approx(((expected * modulus - 1) ** 2).mean(), rel=1e-4)


def test_the_difference_shows_where_a_body_is_missing(pipeline):
    configuration = pipeline.draw(4, 1, 2)
    raw = pipeline.simulate([configuration])[0].astype(np.float32)
    half, model = Half.of(Plane.of(129), raw), true_model(pipeline, configuration)
    model = Model(model.places - model.places.mean(0), model.radii)
    lost = int(np.argmin(model.radii))
    rest = np.delete(np.arange(4), lost)
    fitted = refine(Model(model.places[rest], model.radii[rest]), _pixels(half), 0.07, 0, 0.0)
    heights, places, _ = missing(half, fitted, 4)
    assert heights[0] > 2 * heights[1]
    np.testing.assert_allclose(places[0], model.places[lost], atol=0.05)


def _pixels(half):
    used = (half.plane.once > 0) & (half.plane.distance < 2 * half.half_distance)
    y, x = np.nonzero(used)
    k = np.stack([y, x - half.plane.reach]).astype(np.float32)
    root = np.sqrt(half.intensity[used])
    return Points(k, half.plane.distance[used], root, np.ones_like(root))


def test_nearly_all_patterns_are_explained_by_their_disks(patterns):
    evidence = Evidence(129, 8)
    values, labels = patterns.batch(np.arange(0, len(patterns), 2))
    found = evidence(values)
    counts = found[:, -27:-18].argmax(1)
    assert np.mean(counts == labels) >= 0.9


def test_the_evidence_of_a_pattern_does_not_depend_on_the_batch(patterns):
    evidence = Evidence(129, 8)
    values = patterns.batch(np.arange(0, 40, 16))[0]
    np.testing.assert_array_equal(evidence(values)[1], evidence(values[1:2])[0])


@pytest.mark.parametrize(
    ("options", "width"),
    [({"peaks": False, "structure": False}, 66), ({"structure": False}, 66 + 240)],
)
def test_less_evidence_can_be_used(patterns, options, width):
    evidence = Evidence(129, 8, **options)
    found = evidence(patterns.batch(np.arange(2))[0])
    assert found.shape == (2, width) == (2, evidence.width)
    assert np.isfinite(found).all()


def with_a_speck(pipeline, share):
    """Return a prepared pattern of four disks and one whose radius is a share of their mean."""
    disks = pipeline.draw(4, 2, 3).particles[0]
    centers = np.concatenate([disks.centers, [[1000.0, 1000.0]]])
    radii = np.append(disks.radii, share * disks.radii.mean())
    assert (np.hypot(*(disks.centers - 1000).T) > disks.radii + radii[-1]).all()
    configuration = Configuration(Disks(centers, radii), box=2000.0)
    return pipeline.prepared(pipeline.simulate([configuration]))


@pytest.mark.parametrize("share", [0.02, 0.05, 0.1])
def test_a_disk_much_smaller_than_all_others_is_found(pipeline, share):
    found = Evidence(129, 8)(with_a_speck(pipeline, share))[0]
    assert found[-27:-18].argmax() == 5


def test_a_start_that_comes_no_nearer_is_given_up(patterns):
    half = Half.of(Plane.of(129), patterns.batch(np.arange(39, 40))[0][0])
    refinement = Refinement(half, 2)  # of five disks
    places = np.array([[0.0, 0.0], [0.6, 0.0]], dtype=np.float32)
    wrong = refinement.stage(Model(places, np.full(2, half.radius, dtype=np.float32)), 0)
    grown = refinement.grown(wrong)
    assert wrong.left > 1e-2
    assert not grown.explained
    assert len(grown.misfits) < len(refinement.stages)


def test_bodies_that_a_pattern_does_not_need_are_left_out(pipeline):
    configuration = pipeline.draw(4, 1, 2)
    raw = pipeline.simulate([configuration])[0].astype(np.float32)
    half, true = Half.of(Plane.of(129), raw), true_model(pipeline, configuration)
    places = (true.places - true.places.mean(0)).astype(np.float32)
    more = np.array([[0.0, 0.9], [-0.8, 0.1]], dtype=np.float32)
    refinement = Refinement(half, 8)
    tiny = np.full(2, 0.01 * half.radius, dtype=np.float32)
    start = Model(np.concatenate([places, more]), np.concatenate([true.radii, tiny]))
    grown = refinement.grown(refinement.stage(start, 0))
    assert grown.explained
    assert len(grown.model) == 4
    assert grown.misfits[-1] < 1e-10

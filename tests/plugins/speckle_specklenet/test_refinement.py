import numpy as np
import pytest

from speckle_specklenet.amplitudes import Points, misfit, waves
from speckle_specklenet.difference import missing
from speckle_specklenet.evidence import Evidence
from speckle_specklenet.leastsquares import Model, refine
from speckle_specklenet.plane import Half, Plane


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
    np.testing.assert_allclose(found, expected, atol=2e-3 * expected.max())


def test_least_squares_find_the_disks_again():
    places = np.array([[0.0, 0.0], [0.9, -0.4], [-0.5, 0.6]], dtype=np.float32)
    radii = np.array([0.09, 0.07, 0.05], dtype=np.float32)
    measured = points(300, 7 * waves(places, radii, points(300)).modulus)
    start = Model(places + np.float32(0.015), radii * np.float32(1.1))
    found = refine(start, measured, 0.07, 12, 0.0)
    assert found.left < 1e-7
    np.testing.assert_allclose(found.radii, radii, rtol=2e-3)
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
